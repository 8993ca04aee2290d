import dataclasses

import numpy as np
import pytest
import torch

from rogseg.cases import Case, IntensityBox
from rogseg.datasets.transforms import (
    CentreCrop,
    ClipToBox,
    IntensityTransform,
    RandomAffine,
    RandomGamma,
    RandomMirror,
    SmoothingNoise,
    Transform,
)
from rogseg.datasets.transforms.random_affine import affine_patch, rotation_matrix


def case_of(inputs: torch.Tensor, lower: float = -2.0, upper: float = 3.0) -> Case:
    channels = inputs.shape[0]
    return Case(
        "case",
        inputs[None],
        (inputs[:1] > 0.5).to(torch.uint8) * 7,
        IntensityBox.per_channel([lower] * channels, [upper] * channels),
        torch.ones_like(inputs[None, :1], dtype=torch.bool),
    )


def random_case(*shape: int) -> Case:
    return case_of(torch.randn(shape, generator=torch.Generator().manual_seed(0)))


def targets_of(case: Case) -> torch.Tensor:
    assert case.targets is not None
    return case.targets


def movable_of(case: Case) -> torch.Tensor:
    assert case.movable is not None
    return case.movable


def test_the_identity_gives_the_centre_of_the_crop() -> None:
    case = random_case(2, 12, 10, 9)
    moved = affine_patch(case, np.eye(3), (8, 6, 5))
    centre = CentreCrop((8, 6, 5))(case, np.random.default_rng(0))
    torch.testing.assert_close(moved.inputs, centre.inputs)
    assert torch.equal(targets_of(moved), targets_of(centre))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_quarter_turn_is_a_transposition_with_a_flip(axis: int) -> None:
    case = random_case(1, 7, 7, 7)
    angles = np.zeros(3)
    angles[axis] = np.pi / 2
    moved = affine_patch(case, rotation_matrix(angles), (7, 7, 7))
    first, second = [other for other in range(3) if other != axis]
    turned = torch.rot90(case.inputs, -1, (first + 2, second + 2))
    torch.testing.assert_close(moved.inputs, turned, atol=1e-4, rtol=0)


def test_padding_turns_with_the_crop_and_what_comes_from_outside_is_padding() -> None:
    case = random_case(1, 7, 7, 7)
    movable_of(case)[:, :, 0] = False
    turned = affine_patch(case, rotation_matrix(np.array([0.0, 0.0, np.pi / 2])), (7, 7, 7))
    assert movable_of(turned).sum() == 6 * 49
    assert torch.equal(movable_of(turned), torch.rot90(movable_of(case), -1, (2, 3)))
    shrunk = affine_patch(random_case(1, 4, 4, 4), np.diag([2.0, 2.0, 2.0]), (4, 4, 4))
    assert movable_of(shrunk).sum() == 8


def test_a_factor_of_two_shows_every_second_voxel_between() -> None:
    line = torch.arange(9.0).view(1, 9, 1, 1).expand(1, 9, 3, 3).contiguous()
    moved = affine_patch(case_of(line), np.diag([0.5, 1.0, 1.0]), (9, 3, 3))
    torch.testing.assert_close(moved.inputs[0, 0, :, 1, 1], torch.arange(9.0) / 2 + 2)


def test_rotations_are_rotations_in_millimetres() -> None:
    spacing = np.array([1.0, 1.0, 4.0])
    transform = RandomAffine((33, 33, 9), tuple(spacing), probability=1.0, scale_range=(1.0, 1.0))
    # A ball stays a ball; rotated in voxels, it would overlap by 0.63 to 0.89.
    grid = np.stack(np.meshgrid(*[np.arange(n) - n // 2 for n in (33, 33, 9)], indexing="ij"), -1)
    ball = torch.from_numpy((((grid * spacing) ** 2).sum(-1) < 144).astype(np.float32))[None]
    for seed in range(5):
        moved = transform(case_of(ball), np.random.default_rng(seed))
        overlap = ((targets_of(moved) > 0) & (ball > 0)).sum() * 2 / ((targets_of(moved) > 0).sum() + ball.sum())
        assert overlap > 0.93


def test_a_quarter_of_the_samples_is_not_resampled() -> None:
    case = random_case(1, 10, 10, 10)
    transform = RandomAffine((8, 8, 8), (1.0, 1.0, 1.0))
    generator = np.random.default_rng(0)
    sizes = [transform(case, generator).inputs.shape[2] for _ in range(200)]
    assert 30 <= sizes.count(10) <= 70
    assert set(sizes) == {8, 10}


def test_mirrors_flip_inputs_and_targets_alike() -> None:
    case = random_case(2, 5, 6, 7)
    movable_of(case)[:, :, 0] = False
    flipped = RandomMirror(axes=(0, 2), probability=1.0)(case, np.random.default_rng(0))
    assert not movable_of(flipped)[:, :, -1].any()
    assert movable_of(flipped)[:, :, :-1].all()
    assert torch.equal(flipped.inputs, case.inputs.flip([2, 4]))
    assert torch.equal(targets_of(flipped), targets_of(case).flip([1, 3]))
    with pytest.raises(ValueError, match="axes"):
        RandomMirror(axes=(3,))


def test_gamma_is_a_power_of_the_share_of_the_box() -> None:
    case = random_case(2, 4, 4, 4)
    changed = RandomGamma((0.5, 2.0), probability=1.0)(case, np.random.default_rng(1))
    before = ((case.inputs + 2) / 5).clamp(0, 1)
    after = (changed.inputs + 2) / 5
    inner = (before > 0.05) & (before < 0.95)
    for channel in range(2):
        exponents = (after[0, channel].log() / before[0, channel].log())[inner[0, channel]]
        assert exponents.std() < 1e-3
        assert 0.5 <= exponents.mean() <= 2.0
    assert torch.equal(targets_of(changed), targets_of(case))


def test_a_case_without_label_or_padding_is_transformed_too() -> None:
    case = dataclasses.replace(random_case(1, 9, 9, 9), targets=None, movable=None)
    generator = np.random.default_rng(0)
    several = (RandomMirror(probability=1.0), RandomGamma(probability=1.0), SmoothingNoise(), CentreCrop((7, 7, 7)))
    for transform in (*several, ClipToBox()):
        case = transform(case, generator)
        assert case.targets is case.movable is None
    turned = RandomAffine((7, 7, 7), (1.0, 1.0, 1.0), probability=1.0, scale_range=(1.0, 1.0))(case, generator)
    assert turned.targets is None
    assert 0 < (~movable_of(turned)).sum() < 7**3 / 2  # the corners come from outside


class Brighter(IntensityTransform):
    def intensities(self, case: Case, generator: np.random.Generator) -> torch.Tensor:
        return case.inputs + 1


@pytest.mark.parametrize(
    "transform", [Brighter(), RandomGamma((0.5, 2.0), probability=1.0), SmoothingNoise((0.1,)), ClipToBox()]
)
def test_intensities_change_and_padding_stays_what_the_network_sees_in_use(transform: Transform) -> None:
    case = dataclasses.replace(random_case(2, 6, 6, 6), box=IntensityBox.per_channel([0.5, 0.5], [3.0, 3.0]))
    movable_of(case)[:, :, :3] = False
    case.inputs[:, :, :3] = 0.0  # which is not in the box
    before = case.inputs.clone()
    changed = transform(case, np.random.default_rng(0))
    assert torch.equal(changed.inputs[:, :, :3], before[:, :, :3])
    assert (changed.inputs[:, :, 3:] != before[:, :, 3:]).any(2).any()
    assert torch.equal(case.inputs, before)
    everywhere = transform(dataclasses.replace(case, movable=None), np.random.default_rng(0))
    assert torch.equal(everywhere.inputs[:, :, 3:], changed.inputs[:, :, 3:])
    assert (everywhere.inputs[:, :, :3] != 0).any()


def test_noise_has_the_size_that_a_certificate_adds_and_leaves_padding_alone() -> None:
    case = case_of(torch.zeros(1, 20, 20, 20))
    movable_of(case)[:, :, :10] = False
    seen = set()
    for seed in range(12):
        noisy = SmoothingNoise((0.1, 0.4))(case, np.random.default_rng(seed)).inputs
        assert (noisy[:, :, :10] == 0).all()
        seen.add(round(noisy[:, :, 10:].std().item() / 5, 1))  # of a box 5 wide
    assert seen == {0.1, 0.4}
    assert (case.inputs == 0).all()
    for wrong in ((), (0.25, 0.0)):
        with pytest.raises(ValueError, match="sigmas"):
            SmoothingNoise(wrong)


def test_the_last_transform_clips_to_the_box() -> None:
    clipped = ClipToBox()(case_of(torch.randn(1, 6, 6, 6) * 10), np.random.default_rng(0)).inputs
    assert clipped.min() == -2
    assert clipped.max() == 3


def test_a_crop_smaller_than_the_patch_is_an_error() -> None:
    with pytest.raises(ValueError, match="case 'case'"):
        CentreCrop((8, 8, 8))(random_case(1, 8, 7, 8), np.random.default_rng(0))
