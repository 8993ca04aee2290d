import math

import pytest
import torch
from torch import Tensor

from rogseg.metrics.visibility import NOISE, NOISE_RATIO, PSNR, SSIM, estimated_noise, visibility


def smooth(shape: tuple[int, int, int]) -> Tensor:
    axes = torch.meshgrid(*[torch.linspace(0, 1, length) for length in shape], indexing="ij")
    return 0.5 + 0.2 * torch.sin(3 * axes[0] + 2 * axes[1]) * torch.cos(2 * axes[2])


def noise(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(32, 31, 30), (160, 161, 1)])
def test_the_noise_of_a_smooth_volume_is_found(shape: tuple[int, int, int]) -> None:
    clean = smooth(shape)
    for deviation in (0.01, 0.05):
        assert estimated_noise(clean + deviation * noise(shape)) == pytest.approx(deviation, rel=0.06)
    # Air that was clipped to one value would halve the estimate.
    half_air = clean + 0.05 * noise(shape)
    half_air[: shape[0] * 2 // 3] = 0.0
    assert estimated_noise(half_air) == pytest.approx(0.05, rel=0.1)
    assert estimated_noise(torch.zeros(4, 4, 4)) is None
    nowhere = torch.zeros(shape, dtype=torch.bool)
    assert estimated_noise(clean, nowhere) is None


def test_a_change_of_the_size_of_the_noise_is_called_so() -> None:
    shape = (24, 24, 24)
    clean = torch.stack([smooth(shape) + 0.02 * noise(shape), smooth(shape) + 0.05 * noise(shape, 1)])
    scale = torch.tensor([0.02, 0.05]).view(2, 1, 1, 1)
    found = visibility(clean, clean + 2 * scale * noise((2, *shape), 2).sign())
    assert found[NOISE_RATIO] == pytest.approx(2, rel=0.06)
    assert found[NOISE] == pytest.approx(math.sqrt((0.02**2 + 0.05**2) / 2), rel=0.06)
    assert found[PSNR] == pytest.approx(-10 * math.log10(4 * (0.02**2 + 0.05**2) / 2), abs=1e-3)
    assert 0 < found[SSIM] < 1
    still = visibility(clean, clean)
    assert still[SSIM] == pytest.approx(1)
    assert still[NOISE_RATIO] == 0
    assert PSNR not in still


def test_only_what_may_move_counts() -> None:
    shape = (8, 8, 8)
    clean = (smooth(shape) + 0.01 * noise(shape))[None]
    movable = torch.zeros(shape, dtype=torch.bool)
    movable[:4] = True
    found = visibility(clean, clean + 0.1 * movable, movable)
    assert found[NOISE_RATIO] == pytest.approx(0.1 / found[NOISE], rel=1e-4)
    moved_alone = clean + 0.1 * torch.rand(shape, generator=torch.Generator().manual_seed(3)) * ~movable
    assert visibility(clean, moved_alone, movable)[NOISE_RATIO] == 0
