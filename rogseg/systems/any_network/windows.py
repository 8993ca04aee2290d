"""Where the windows of a network lie and how they are blended: as MONAI's sliding window inference has it."""

import dataclasses
import functools
import math
from typing import Literal

import torch
from torch import Tensor

from rogseg.cases import LogitFn
from rogseg.inference import RegionVolumeLogits, VolumeLogits
from rogseg.inference.sliding_window import crop_volume, pad_volume
from rogseg.inference.windows import BellGrid
from rogseg.task_plan import Triple

__all__ = ["Blend", "WholeVolume", "Windows", "plan_monai_windows"]

Blend = Literal["gaussian", "constant"]

LARGEST = 4096  # voxels of a window along an axis
SMALLEST_WEIGHT = 1e-3  # MONAI raises the bell's ends to it


@dataclasses.dataclass(frozen=True)
class Windows:
    """How a network is slid over a volume.

    Args:
        size: extent of a window [voxels]; None where the network sees whole volumes.
        overlap: fraction of a window that neighbours share, in [0, 1).
        blend: how much the places of a window count: a bell, or all the same.
        sigma_scale: the bell's standard deviation as a fraction of the window.
        batch: windows per call of the network.
        multiple_of: a whole volume is padded with 0 so that the network can halve it that often [voxels].

    Raises:
        ValueError: a number is out of range.
    """

    size: Triple | None = None
    overlap: float = 0.5
    blend: Blend = "gaussian"
    sigma_scale: float = 0.125
    batch: int = 1
    multiple_of: int = 1

    def __post_init__(self) -> None:
        faults = {
            f"size must be three whole numbers from 1 to {LARGEST}": self.size is not None
            and not 1 <= min(self.size) <= max(self.size) <= LARGEST,
            "overlap must lie in [0, 1)": not 0 <= self.overlap < 1,
            "sigma_scale must be above 0": not self.sigma_scale > 0,
            f"batch and multiple_of must be from 1 to {LARGEST}": not 1
            <= min(self.batch, self.multiple_of)
            <= max(self.batch, self.multiple_of)
            <= LARGEST,
            "multiple_of is for whole volumes; windows have their size": self.size is not None and self.multiple_of > 1,
        }
        for fault, applies in faults.items():
            if applies:
                raise ValueError(f"system.windows: {fault}, got {self}")

    def over_volumes(self, network: LogitFn, device: torch.device, after_blend: LogitFn | None = None) -> LogitFn:
        """The network over windows as one over whole volumes, with the exact gradient for the volume.

        Args:
            network: (B, C, d, h, w) -> (B, L, d, h, w).
            device: where windows are evaluated.
            after_blend: makes raw logits of what windows are blended to; None where it is logits. A network of whole
                volumes gives logits itself.
        """
        if self.size is None:
            return WholeVolume(network, self.multiple_of, device)
        planner = functools.partial(plan_monai_windows, blend=self.blend, sigma_scale=self.sigma_scale)
        return RegionVolumeLogits(
            VolumeLogits(
                network,
                self.size,
                self.overlap,
                window_batch=self.batch,
                compute_device=device,
                plan_grid=planner,
                after_blend=after_blend,
            )
        )


class WholeVolume:
    """A network that is given whole volumes, padded evenly with 0 to a multiple of something."""

    def __init__(self, network: LogitFn, multiple_of: int, device: torch.device) -> None:
        self.network, self.multiple_of, self.device = network, multiple_of, device

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, L, D, H, W), under plain autograd."""
        gaps = [-length % self.multiple_of for length in reversed(inputs.shape[2:])]
        padding = tuple(side for gap in gaps for side in (gap // 2, gap - gap // 2))
        logits = self.network(pad_volume(inputs, padding).to(self.device))
        return crop_volume(logits, padding).to(inputs)


@functools.lru_cache(maxsize=1)
@torch.inference_mode(False)
def plan_monai_windows(
    volume_size: Triple, window_size: Triple, overlap: float, *, blend: Blend, sigma_scale: float
) -> BellGrid:
    """Windows over a volume that is at least as large as one: equal steps, the last one moved back to the face.

    Source: MONAI 1.6, ``monai.inferers.sliding_window_inference``; its bell is computed in float32, as here.
    """
    starts = []
    for size, extent in zip(volume_size, window_size, strict=True):
        step = extent if size == extent else max(1, int(extent * (1 - overlap)))
        number = math.ceil((size - extent) / step) + 1
        starts.append(tuple(min(index * step, size - extent) for index in range(number)))
    bell = torch.ones(window_size) if blend == "constant" else _bell(window_size, sigma_scale)
    return BellGrid.of_bell(volume_size, window_size, (starts[0], starts[1], starts[2]), bell.double())


def _bell(window_size: Triple, sigma_scale: float) -> Tensor:
    x, y, z = (
        torch.exp((torch.arange(extent) - (extent - 1) / 2) ** 2 / (-2 * (extent * sigma_scale) ** 2))
        for extent in window_size
    )
    product = (x[:, None] * y)[..., None] * z
    return product.clamp(min=max(float(product.min()), SMALLEST_WEIGHT))
