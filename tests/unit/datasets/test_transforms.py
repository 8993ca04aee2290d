import numpy as np
import pytest
import torch

from rogseg.datasets.sample import Sample
from rogseg.datasets.transforms import CentreCrop, ClipToBox, RandomAffine, RandomGamma, RandomMirror
from rogseg.datasets.transforms.random_affine import affine_patch, rotation_matrix


def sample_of(inputs: torch.Tensor, lower: float = -2.0, upper: float = 3.0) -> Sample:
    channels = inputs.shape[0]
    return {
        "inputs": inputs,
        "targets": (inputs[0] > 0.5).to(torch.uint8) * 7,
        "inside": torch.ones_like(inputs[:1], dtype=torch.bool),
        "box_lower": torch.full((channels, 1, 1, 1), lower),
        "box_upper": torch.full((channels, 1, 1, 1), upper),
        "case_id": "case",
    }


def random_sample(*shape: int) -> Sample:
    return sample_of(torch.randn(shape, generator=torch.Generator().manual_seed(0)))


def test_the_identity_gives_the_centre_of_the_crop() -> None:
    sample = random_sample(2, 12, 10, 9)
    moved = affine_patch(sample, np.eye(3), (8, 6, 5))
    centre = CentreCrop((8, 6, 5))(sample, np.random.default_rng(0))
    torch.testing.assert_close(moved["inputs"], centre["inputs"])
    assert torch.equal(moved["targets"], centre["targets"])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_quarter_turn_is_a_transposition_with_a_flip(axis: int) -> None:
    sample = random_sample(1, 7, 7, 7)
    angles = np.zeros(3)
    angles[axis] = np.pi / 2
    moved = affine_patch(sample, rotation_matrix(angles), (7, 7, 7))
    first, second = [other for other in range(3) if other != axis]
    turned = torch.rot90(sample["inputs"], -1, (first + 1, second + 1))
    torch.testing.assert_close(moved["inputs"], turned, atol=1e-4, rtol=0)


def test_padding_turns_with_the_crop_and_what_comes_from_outside_is_padding() -> None:
    sample = random_sample(1, 7, 7, 7)
    sample["inside"][:, 0] = False
    turned = affine_patch(sample, rotation_matrix(np.array([0.0, 0.0, np.pi / 2])), (7, 7, 7))
    assert turned["inside"].sum() == 6 * 49
    assert torch.equal(turned["inside"], torch.rot90(sample["inside"], -1, (1, 2)))
    shrunk = affine_patch(random_sample(1, 4, 4, 4), np.diag([2.0, 2.0, 2.0]), (4, 4, 4))
    assert shrunk["inside"].sum() == 8


def test_a_factor_of_two_shows_every_second_voxel_between() -> None:
    line = torch.arange(9.0).view(1, 9, 1, 1).expand(1, 9, 3, 3).contiguous()
    moved = affine_patch(sample_of(line), np.diag([0.5, 1.0, 1.0]), (9, 3, 3))
    torch.testing.assert_close(moved["inputs"][0, :, 1, 1], torch.arange(9.0) / 2 + 2)


def test_rotations_are_rotations_in_millimetres() -> None:
    spacing = np.array([1.0, 1.0, 4.0])
    transform = RandomAffine((33, 33, 9), tuple(spacing), probability=1.0, scale_range=(1.0, 1.0))
    # A ball stays a ball; rotated in voxels, it would overlap by 0.63 to 0.89.
    grid = np.stack(np.meshgrid(*[np.arange(n) - n // 2 for n in (33, 33, 9)], indexing="ij"), -1)
    ball = torch.from_numpy((((grid * spacing) ** 2).sum(-1) < 144).astype(np.float32))[None]
    for seed in range(5):
        moved = transform(sample_of(ball), np.random.default_rng(seed))
        overlap = ((moved["targets"] > 0) & (ball[0] > 0)).sum() * 2 / ((moved["targets"] > 0).sum() + ball.sum())
        assert overlap > 0.93


def test_a_quarter_of_the_samples_is_not_resampled() -> None:
    sample = random_sample(1, 10, 10, 10)
    transform = RandomAffine((8, 8, 8), (1.0, 1.0, 1.0))
    generator = np.random.default_rng(0)
    sizes = [transform(sample, generator)["inputs"].shape[1] for _ in range(200)]
    assert 30 <= sizes.count(10) <= 70
    assert set(sizes) == {8, 10}


def test_mirrors_flip_inputs_and_targets_alike() -> None:
    sample = random_sample(2, 5, 6, 7)
    sample["inside"][:, 0] = False
    flipped = RandomMirror(axes=(0, 2), probability=1.0)(sample, np.random.default_rng(0))
    assert not flipped["inside"][:, -1].any()
    assert flipped["inside"][:, :-1].all()
    assert torch.equal(flipped["inputs"], sample["inputs"].flip([1, 3]))
    assert torch.equal(flipped["targets"], sample["targets"].flip([0, 2]))
    with pytest.raises(ValueError, match="axes"):
        RandomMirror(axes=(3,))


def test_gamma_is_a_power_of_the_share_of_the_box() -> None:
    sample = random_sample(2, 4, 4, 4)
    changed = RandomGamma((0.5, 2.0), probability=1.0)(sample, np.random.default_rng(1))
    before = ((sample["inputs"] + 2) / 5).clamp(0, 1)
    after = (changed["inputs"] + 2) / 5
    inner = (before > 0.05) & (before < 0.95)
    for channel in range(2):
        exponents = (after[channel].log() / before[channel].log())[inner[channel]]
        assert exponents.std() < 1e-3
        assert 0.5 <= exponents.mean() <= 2.0
    assert torch.equal(changed["targets"], sample["targets"])


def test_the_last_transform_clips_to_the_box() -> None:
    clipped = ClipToBox()(sample_of(torch.randn(1, 6, 6, 6) * 10), np.random.default_rng(0))["inputs"]
    assert clipped.min() == -2
    assert clipped.max() == 3


def test_a_crop_smaller_than_the_patch_is_an_error() -> None:
    with pytest.raises(ValueError, match="case 'case'"):
        CentreCrop((8, 8, 8))(random_sample(1, 8, 7, 8), np.random.default_rng(0))
