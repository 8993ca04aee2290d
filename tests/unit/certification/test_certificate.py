import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rogseg.cases import Case, IntensityBox, LogitFn
from rogseg.certification import Certificate, Questions, Smoothing, Votes, certify_case, collect_votes
from rogseg.certification.certified_case import dice_bounds

WIDE = IntensityBox.per_channel([-5000.0], [5000.0])  # so wide beside the noise that nothing is clipped


def two_sided(weights: Tensor, threshold: float) -> LogitFn:
    """Class 1 in every voxel where a weighted mean of the volume exceeds a threshold: a half space each."""

    def model(volume: Tensor) -> Tensor:
        score = torch.einsum("vu,bu->bv", weights, volume.flatten(1)).reshape(volume[:, :1].shape) - threshold
        return torch.cat([-score, score], dim=1)

    return model


def certificate_of(
    model: LogitFn,
    case: Case,
    smoothing: Smoothing,
    tau: float,
    alpha: float = 0.001,
    regions: tuple[tuple[int, ...], ...] = ((1,),),
    num_classes: int = 2,
) -> Certificate:
    votes = Votes.empty(num_classes, tuple(case.inputs.shape[2:]), smoothing)
    collect_votes(model, case, smoothing, votes, batch_size=50)
    counted = None if case.movable is None else case.movable[0, 0].numpy()
    return Questions(votes, smoothing.num_selection, regions, counted).certificate(tau, alpha)


def test_a_linear_network_is_certified_up_to_its_known_radius_and_never_beyond() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = 30 * torch.randn(1, 1, 4, 4, 4, generator=generator).clamp(-1.5, 1.5)
    weights = torch.eye(64) + 0.1 * torch.randn(64, 64, generator=generator)
    # The exact distance of every voxel's half space, in units of the box's width.
    score = torch.einsum("vu,u->v", weights, inputs.flatten()) - 3.0
    distance = (score / weights.norm(dim=1) / WIDE.width.item()).reshape(4, 4, 4).numpy()
    smoothing, case = Smoothing(0.002, 30, 400), Case("linear", inputs, None, WIDE)
    for tau in (0.6, 0.75, 0.9):
        certificate = certificate_of(two_sided(weights, 3.0), case, smoothing, tau)
        radius = smoothing.radius(tau)
        for classes, depth in (({1}, distance), ({0}, -distance)):
            held = certificate.holds(classes)
            assert not held[depth < radius].any()
            # Half a standard deviation further than the radius is enough for 400 samples.
            assert held[depth > radius + 0.001].all()
            assert held.any()


def test_noise_that_every_question_shares_makes_wrong_answers_no_more_often() -> None:
    """Every answer is wrong, as every voxel has exactly the share tau: over 1,000 volumes, at most alpha of them.

    The volumes lie side by side in one; the eight voxels of each have one class, that of their mean.
    """
    tau, alpha, repetitions = 0.75, 0.05, 1000
    smoothing = Smoothing(0.1, 5, 60)
    distance = smoothing.radius(tau) * WIDE.width.item() / math.sqrt(8)

    def model(volume: Tensor) -> Tensor:
        score = functional.interpolate(functional.avg_pool3d(volume, 2), scale_factor=2.0)
        return torch.cat([-score, score], dim=1)

    case = Case("side by side", torch.full((1, 1, 2 * repetitions, 2, 2), distance), None, WIDE)
    votes = Votes.empty(2, (2 * repetitions, 2, 2), smoothing)
    collect_votes(model, case, smoothing, votes, batch_size=5)
    wrong = 0
    for first in range(0, 2 * repetitions, 2):
        part = slice(first, first + 2)
        own = Votes(votes.selection[:, part], votes.answers[:, part], votes.done)
        certificate = Questions(own, smoothing.num_selection, [(1,)]).certificate(tau, alpha)
        wrong += bool(certificate.holds({1}).any() or certificate.holds({0}).any())
    assert 0 < wrong / repetitions <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / repetitions)


def undecided_between(first: int, second: int) -> LogitFn:
    """Three classes: the sign of the noise decides between two of them, the third never wins."""

    def model(volume: Tensor) -> Tensor:
        scores = torch.full((len(volume), 3, *volume.shape[2:]), -1.0)
        scores[:, first : first + 1] = volume.sign()
        scores[:, second : second + 1] = -volume.sign()
        return scores

    return model


def test_a_voxel_between_two_classes_falls_back_to_their_group_and_is_no_third_class() -> None:
    case, smoothing = Case("flat", torch.zeros(1, 1, 3, 3, 3), None, WIDE), Smoothing(0.1, 20, 100)
    regions = ((1,), (2,), (1, 2))
    lesion = certificate_of(undecided_between(1, 2), case, smoothing, 0.75, regions=regions, num_classes=3)
    assert not lesion.holds({1}).any()
    assert not lesion.holds({2}).any()
    assert lesion.inside({1, 2}).all()
    assert not lesion.outside({1}).any()
    border = certificate_of(undecided_between(0, 1), case, smoothing, 0.75, regions=regions, num_classes=3)
    assert border.outside({2}).all()
    assert not border.inside({1, 2}).any()
    assert not border.outside({1, 2}).any()
    with pytest.raises(ValueError, match=r"classes \[0, 1, 2\]"):
        border.holds({0, 1, 2})


def test_voxels_that_do_not_count_are_asked_nothing() -> None:
    movable = torch.ones(1, 1, 3, 3, 3, dtype=torch.bool)
    movable[..., 0] = False
    inputs = torch.full((1, 1, 3, 3, 3), 4000.0)
    case = Case("masked", inputs, torch.ones(1, 3, 3, 3, dtype=torch.long).mul(movable[0].long()), WIDE, movable)
    smoothing = Smoothing(0.05, 10, 60)
    certificate = certificate_of(two_sided(torch.eye(27), 0.0), case, smoothing, 0.75)
    assert certificate.questions.histogram.sum() == 18
    assert certificate.inside({1}).sum() == 18
    certified = certify_case(certificate, smoothing, case, {"organ": (1,)}, {})
    assert certified.num_values == 18
    assert certified.radius_rms == pytest.approx(smoothing.radius(0.75) / math.sqrt(18))
    assert (certified.accuracy, certified.abstained) == (1.0, 0.0)
    bounds = certified.classes["organ"]
    assert (bounds.dice_lower, bounds.dice_upper, bounds.volume_upper) == (1.0, 1.0, None)


def test_dice_bounds_are_the_extremes_over_every_mask_that_the_certificate_allows() -> None:
    generator = np.random.default_rng(0)
    for _ in range(40):
        state, target = generator.integers(0, 3, 6), generator.random(6) < 0.5
        inside, outside = state == 1, state == 2
        if not target.any():
            assert dice_bounds(inside, outside, target) == (None, None)
            continue
        values = []
        for bits in itertools.product((False, True), repeat=6):
            mask = np.array(bits)
            if (inside & ~mask).any() or (outside & mask).any():
                continue
            values.append(2 * (mask & target).sum() / (mask.sum() + target.sum()))
        assert dice_bounds(inside, outside, target) == pytest.approx((min(values), max(values)))


def test_the_bounds_of_a_case_are_counted_voxel_by_voxel() -> None:
    """Six voxels in a row: certain 1, certain 1, between 0 and 1, between 1 and 2, certain 2, certain 0."""
    shares = torch.tensor([[0, 1, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1], [1, 0, 0]])
    selection, answers = ((shares.T.reshape(3, 6, 1, 1) * n).numpy().astype(np.uint8) for n in (20, 200))
    votes = Votes(selection, answers, done=220)
    targets = torch.tensor([1, 0, 1, 1, 1, 0]).reshape(1, 6, 1, 1)
    case = Case("row", torch.zeros(1, 1, 6, 1, 1), targets, WIDE, spacing=(10.0, 10.0, 5.0), raw_width=(400.0,))
    smoothing = Smoothing(0.25, 20, 200)
    groups = {"any": (1, 2)}
    questions = Questions(votes, 20, [(1,), (2,), (1, 2)])
    certified = certify_case(questions.certificate(0.75, 0.001), smoothing, case, {"one": (1,), "two": (2,)}, groups)
    one = certified.classes["one"]
    assert one.volume_lower == pytest.approx(2 * 0.5)
    assert one.volume_upper == pytest.approx(4 * 0.5)
    assert one.volume_target == pytest.approx(4 * 0.5)
    # Worst: the voxels 3 and 4 are missed. Best: both are found; voxel 2 is a certain false one.
    assert (one.dice_lower, one.dice_upper) == pytest.approx((2 * 1 / (2 + 4), 2 * 3 / (4 + 4)))
    assert (one.certified, one.excluded, one.abstained) == pytest.approx((0.25, 0.25, 0.5))
    assert certified.classes["two"].volume_upper == pytest.approx(2 * 0.5)
    assert certified.classes["two"].dice_lower is None
    assert certified.groups["any"].volume_lower == pytest.approx(4 * 0.5)
    assert (certified.accuracy, certified.abstained, certified.fell_back) == pytest.approx((2 / 6, 2 / 6, 1 / 6))
    assert certified.sigma_raw == (100.0,)
    assert certified.radius_rms_raw == pytest.approx((smoothing.radius(0.75) / math.sqrt(6) * 400,))


@pytest.mark.parametrize("model", [lambda volume: volume * math.nan, lambda volume: volume])
def test_votes_of_broken_networks_are_refused(model: Callable[[Tensor], Tensor]) -> None:
    smoothing = Smoothing(0.1, 2, 2)
    with pytest.raises(ValueError, match=r"not finite|1 classes"):
        collect_votes(
            model, Case("c", torch.zeros(1, 1, 2, 2, 2), None, WIDE), smoothing, Votes.empty(2, (2, 2, 2), smoothing)
        )
