import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives import (
    DLR,
    BalancedCE,
    CosPGD,
    CrossEntropy,
    FlooredMaskedCE,
    JensenShannon,
    LogitCosine,
    Margin,
    MaskedCE,
    MaskedCorrelation,
    Objective,
    ScaleFree,
    SegPGD,
    SoftDice,
    TargetedDLR,
    VoxelObjective,
    WithRuler,
    build_objective,
    targeted_dlr,
)
from rogseg.attacks.objectives.scale_free import mean_gap
from rogseg.registry import OBJECTIVES

# Two voxels of four classes: the first is right (class 0), the second wrong (class 3 where 1 is true).
LOGITS = torch.tensor([[4.0, 1.0, 2.0, 0.0], [0.0, 1.0, 2.0, 5.0]], dtype=torch.float64).T.reshape(1, 4, 1, 1, 2)
TARGETS = torch.tensor([0, 1]).reshape(1, 1, 1, 2)
CE = [-math.log(math.exp(true) / sum(map(math.exp, row))) for true, row in ((4, (4, 1, 2, 0)), (1, (0, 1, 2, 5)))]
OBJECTIVE_INSTANCES = [
    CrossEntropy(), DLR(), TargetedDLR(2), Margin(), SoftDice(), SegPGD(0.25), CosPGD(), JensenShannon(), MaskedCE(),
    FlooredMaskedCE(), BalancedCE(), BalancedCE([1.0, 2.0, 0.5, 0.0]), ScaleFree(SoftDice()),
    ScaleFree(CrossEntropy(), 2.0), WithRuler(MaskedCE(), CrossEntropy()), LogitCosine(),
    MaskedCorrelation(),
]  # fmt: skip


def voxels(objective: VoxelObjective, logits: Tensor = LOGITS) -> list[float]:
    values: list[float] = objective.per_voxel(logits, TARGETS).flatten().tolist()
    return values


def test_values_by_hand() -> None:
    assert voxels(CrossEntropy()) == pytest.approx(CE)
    assert voxels(Margin()) == pytest.approx([-2.0, 4.0])
    assert voxels(DLR()) == pytest.approx([-2.0 / 3.0, 4.0 / 4.0])
    assert voxels(TargetedDLR(2)) == pytest.approx([-2.0 / (4 - 0.5), 1.0 / (5 - 0.5)])
    assert voxels(MaskedCE()) == pytest.approx([CE[0], 0.0])
    assert voxels(FlooredMaskedCE()) == pytest.approx([CE[0], math.log(4)])
    assert voxels(SegPGD(0.25)) == pytest.approx([0.75 * CE[0], 0.25 * CE[1]])
    probabilities = LOGITS.softmax(1).flatten(2)[0]
    cosine = [float(probabilities[y, i] / probabilities[:, i].norm()) for i, y in enumerate((0, 1))]
    assert voxels(CosPGD()) == pytest.approx([cosine[0] * CE[0], cosine[1] * CE[1]])


def test_mean_over_voxels_comes_after_the_weights() -> None:
    for objective in OBJECTIVE_INSTANCES:
        if isinstance(objective, VoxelObjective):
            expected = objective.per_voxel(LOGITS, TARGETS).mean()
            assert float(objective(LOGITS, TARGETS)) == pytest.approx(float(expected))


def test_balanced_ce_gives_every_class_the_same_weight() -> None:
    """Three background voxels and one of class 2, all right: weights 4 / (2 * 3) and 4 / 2."""
    targets = torch.tensor([0, 0, 0, 2]).reshape(1, 1, 1, 4)
    logits = 3 * F.one_hot(targets, 4).movedim(-1, 1).float()
    each = float(CrossEntropy()(logits, targets))
    assert BalancedCE().per_voxel(logits, targets).flatten().tolist() == pytest.approx([each * 2 / 3] * 3 + [each * 2])
    given = BalancedCE([1.0, 5.0, 3.0, 0.0]).per_voxel(logits, targets)
    assert given.flatten().tolist() == pytest.approx([each] * 3 + [3 * each])
    logits[..., 3] = 0.0  # a voxel that is lost counts nothing
    logits[:, 1, ..., 3] = 1.0
    assert BalancedCE().per_voxel(logits, targets)[..., 3].item() == 0
    with pytest.raises(ValueError, match="2 weights for 4 classes"):
        BalancedCE([1.0, 2.0])(logits, targets)
    with pytest.raises(ValueError, match="less than 0"):
        BalancedCE([-1.0])


def test_cosine_and_correlation_by_hand() -> None:
    """Centred logits (2.25, -.75, .25, -1.75) and (-2, -1, 0, 3); the truth is class 0, right, and class 1, wrong."""
    norms = [(2.25**2 + 0.75**2 + 0.25**2 + 1.75**2) ** 0.5, 14**0.5]
    assert voxels(LogitCosine()) == pytest.approx([1 - 2.25 / norms[0], 1 + 1 / norms[1]])
    assert voxels(LogitCosine(), 1024 * LOGITS + 7) == pytest.approx(voxels(LogitCosine()))
    # Only the first voxel is right; its centred truth is (.75, -.25, -.25, -.25).
    expected = -(0.75 * 2.25 + 0.25 * (0.75 - 0.25 + 1.75)) / (norms[0] * 0.75**0.5)
    assert MaskedCorrelation()(LOGITS, TARGETS).item() == pytest.approx(expected)
    assert MaskedCorrelation()(1024 * LOGITS + 7, TARGETS).item() == pytest.approx(expected)
    wrong = LOGITS[..., 1:]
    assert MaskedCorrelation()(wrong, TARGETS[..., 1:]).item() == 0


def test_the_cosine_of_two_classes_has_a_gradient() -> None:
    """Centred logits (1, -1), (-2, 2) and (3, -3): squared norms of 2, 8 and 18, a mean of 28 / 3."""
    logits = torch.tensor([[3.0, 0.0, 6.0], [1.0, 4.0, 0.0]], dtype=torch.float64).reshape(1, 2, 1, 1, 3)
    targets = torch.zeros(1, 1, 1, 3, dtype=torch.int64)
    norm = (28 / 3) ** 0.5
    for scaled in (logits, 1024 * logits + 7):
        values = LogitCosine().per_voxel(scaled, targets).flatten().tolist()
        assert values == pytest.approx([1 - 1 / norm, 1 + 2 / norm, 1 - 3 / norm])
    leaf = logits.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(LogitCosine()(leaf, targets).sum(), leaf)
    # With m the centred true logits, of sum 2, the mean is 1 - sum(m) / (3 norm), of which a logit has half the slope.
    by_hand = [-(1 - 2 * m / 14) / (3 * norm) / 2 for m in (1.0, -2.0, 3.0)]
    assert gradient[:, 0].flatten().tolist() == pytest.approx(by_hand)
    assert torch.allclose(gradient[:, 1], -gradient[:, 0])


@pytest.mark.parametrize("inner", [SoftDice(), JensenShannon(), MaskedCE(), SegPGD(0.2), CrossEntropy()])
@pytest.mark.parametrize("scale", [2.0**-10, 2.0**13])
def test_a_scale_free_objective_and_its_direction_do_not_know_the_scale(inner: Objective, scale: float) -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 4, 3, 3, 3, generator=generator)
    targets = torch.randint(4, (2, 3, 3, 3), generator=generator)
    objective = ScaleFree(inner, 0.5)
    gradients = []
    for factor in (1.0, scale):
        leaf = (factor * logits).requires_grad_()
        values = objective(leaf, targets)
        assert torch.equal(values, objective(logits, targets))
        gradients.append(torch.autograd.grad(values.sum(), leaf)[0] * factor)
    assert torch.equal(gradients[0], gradients[1])
    assert (gradients[0] != 0).any()


def test_the_temperature_is_a_share_of_the_mean_gap() -> None:
    """Gaps 1, 1 and 6 in the first case, 2 everywhere in the second."""
    targets = torch.zeros(2, 1, 1, 3, dtype=torch.int64)
    logits = torch.tensor([[1.0, 1.0, 6.0], [2.0, 2.0, 2.0]]).reshape(2, 1, 1, 1, 3)
    logits = torch.cat([torch.zeros_like(logits), logits, torch.full_like(logits, -9.0)], dim=1)
    assert mean_gap(logits).tolist() == pytest.approx([8 / 3, 2.0])
    halved = ScaleFree(CrossEntropy(), 0.5)(logits, targets)
    assert float(halved[0]) == pytest.approx(float(CrossEntropy()(logits[:1] / (4 / 3), targets[:1])))
    assert float(halved[1]) == pytest.approx(float(CrossEntropy()(logits[1:], targets[1:])))


def test_a_ruler_can_be_given() -> None:
    objective = WithRuler(SegPGD(), Margin())
    assert isinstance(objective.ruler, Margin)
    assert isinstance(objective.at(0.9).ruler, Margin)
    assert objective.at(0.9)(LOGITS, TARGETS).item() == pytest.approx(SegPGD(0.45)(LOGITS, TARGETS).item())


def test_jensen_shannon_is_the_divergence_from_one_hot() -> None:
    probabilities, truth = LOGITS.softmax(1), F.one_hot(TARGETS, 4).movedim(-1, 1).double()
    middle = (probabilities + truth) / 2
    divergence = 0.5 * (
        torch.special.xlogy(probabilities, probabilities / middle) + torch.special.xlogy(truth, truth / middle)
    ).sum(1)
    assert voxels(JensenShannon()) == pytest.approx(divergence.flatten().tolist())
    lost = torch.tensor([0.0, 500.0]).reshape(1, 2, 1, 1, 1)
    assert float(JensenShannon()(lost, torch.zeros(1, 1, 1, 1, dtype=torch.int64))) == pytest.approx(math.log(2))


def test_soft_dice_counts_the_classes_that_the_case_has() -> None:
    targets = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0]]).reshape(2, 1, 1, 4)
    sharp = (
        1000 * F.one_hot(torch.tensor([[1, 0, 0, 2], [0, 0, 0, 1]]), 3).reshape(2, 1, 1, 4, 3).movedim(-1, 1).float()
    )
    # class 1: 2 * 1 / (1 + 2); class 2 is absent and left out; the second case has a quarter of false foreground.
    assert SoftDice()(sharp, targets).tolist() == pytest.approx([1 - 2 / 3, 0.25])


def test_segpgd_moves_its_weight_and_is_compared_by_cross_entropy() -> None:
    objective = SegPGD()
    early, late = objective.at(0.0), objective.at(0.9)
    assert early(LOGITS, TARGETS).item() == pytest.approx(CE[0] / 2)
    assert late(LOGITS, TARGETS).item() == pytest.approx((0.55 * CE[0] + 0.45 * CE[1]) / 2)
    assert isinstance(objective.ruler, CrossEntropy)
    assert isinstance(CosPGD().ruler, CrossEntropy)
    margin = Margin()
    assert margin.ruler is margin
    assert margin.at(0.3) is margin


def test_floored_masked_ce_has_the_masked_gradient_and_never_falls_when_a_voxel_is_won() -> None:
    gradients = []
    for objective in (MaskedCE(), FlooredMaskedCE()):
        leaf = LOGITS.clone().requires_grad_()
        objective(leaf, TARGETS).backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is not None
        gradients.append(leaf.grad)
    assert torch.equal(gradients[0], gradients[1])
    assert float(gradients[0][..., 1].abs().sum()) == 0
    nearly, lost = torch.tensor([0.0, -1e-4]), torch.tensor([0.0, 1e-4])
    values = [
        float(FlooredMaskedCE()(row.reshape(1, 2, 1, 1, 1), torch.zeros(1, 1, 1, 1, dtype=torch.int64)))
        for row in (nearly, lost)
    ]
    assert values[0] <= values[1] == pytest.approx(math.log(2))


def test_too_few_classes_are_refused_with_a_remedy() -> None:
    two, three = torch.zeros(1, 2, 1, 1, 2), torch.zeros(1, 3, 1, 1, 2)
    with pytest.raises(ValueError, match="Margin"):
        DLR()(two, TARGETS)
    with pytest.raises(ValueError, match="DLR"):
        targeted_dlr(three, TARGETS, TARGETS)
    with pytest.raises(ValueError, match="target_class is 4"):
        TargetedDLR(4)(LOGITS, TARGETS)
    with pytest.raises(ValueError, match="wrong_weight"):
        SegPGD(0.7)


@pytest.mark.parametrize("objective", OBJECTIVE_INSTANCES, ids=lambda objective: type(objective).__name__)
def test_gradients_are_finite_and_cases_are_independent(objective: Objective) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = (30 * torch.randn(3, 4, 2, 3, 2, generator=generator)).requires_grad_()
    targets = torch.randint(4, (3, 2, 3, 2), generator=generator)
    values = objective(logits, targets)
    assert values.shape == (3,)
    (gradient,) = torch.autograd.grad(values[1], logits)
    assert torch.isfinite(gradient).all()
    assert (gradient[[0, 2]] == 0).all()
    alone = objective(logits[1:2].detach(), targets[1:2])
    assert float(alone) == pytest.approx(float(values[1].detach()), rel=1e-5)


def test_registered_under_their_names() -> None:
    for objective in OBJECTIVE_INSTANCES:
        assert OBJECTIVES.get(type(objective).__name__) is type(objective)
    built = build_objective({"type": "TargetedDLR", "target_class": 2})
    assert isinstance(built, TargetedDLR)
    assert build_objective(built) is built


def test_a_class_that_is_neither_there_nor_found_leaves_soft_dice_its_gradient() -> None:
    """Probabilities of 0, as a sharp temperature gives those of a class that the case lacks, are no 0 / 0."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 3, 3, 3, generator=generator)
    targets = torch.randint(0, 3, (2, 3, 3, 3), generator=generator)
    targets[1] = 0  # no foreground at all
    more = torch.cat([logits, torch.full_like(logits[:, :1], -1e4)], dim=1)
    expected, found = (_value_and_gradient(SoftDice(), one, targets) for one in (logits, more))
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1][:, :3], expected[1])
    assert not found[1][:, 3].any()


def _value_and_gradient(objective: Objective, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    leaf = logits.clone().requires_grad_()
    values = objective(leaf, targets)
    return values.detach(), torch.autograd.grad(values.sum(), leaf)[0]
