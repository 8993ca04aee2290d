"""nnU-Net's windows over a volume, placed and weighted by its functions, and its prediction in its own precision."""

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rogseg.inference.mirrored_copies import MirroredCopy, mirrorings
from rogseg.inference.sliding_window import VolumeLogits, crop_volume, pad_volume
from rogseg.inference.windows import BellGrid
from rogseg.task_plan import Triple

__all__ = ["OVERLAP", "half_precision_logits", "plan_bell_grid", "window_bell"]

OVERLAP = 0.5  # as its command has it
SIGMA_FRACTION = 1 / 8
BELL_PEAK = 10  # keeps the smallest weights apart from 0 in half precision


@functools.lru_cache(maxsize=1)
@torch.inference_mode(False)
def plan_bell_grid(volume_size: Triple, window_size: Triple, overlap: float, *, slices: bool = False) -> BellGrid:
    """nnU-Net's windows over a volume that is at least as large as one.

    Its bell is rounded to half precision, and what rounds to 0 is raised to the smallest weight: a bell in full
    precision moves logits by 0.6.

    Args:
        volume_size: extent of the padded volume [voxels].
        window_size: extent of a window [voxels].
        overlap: of neighbours, as a fraction of the window.
        slices: the windows are two-dimensional, and each slice along the first axis has its own.
    """
    from nnunetv2.inference.sliding_window_prediction import compute_steps_for_sliding_window

    starts = []
    for axis, (size, extent) in enumerate(zip(volume_size, window_size, strict=True)):
        if slices and axis == 0:
            starts.append(tuple(range(size)))
        else:
            starts.append(tuple(compute_steps_for_sliding_window((size,), (extent,), 1 - overlap)[0]))
    # nnU-Net caches the bell, and where its predictor asked first no gradient may pass it: this is a copy.
    bell = window_bell(window_size, slices=slices).double()
    return BellGrid.of_bell(volume_size, window_size, (starts[0], starts[1], starts[2]), bell)


@torch.inference_mode(False)
def window_bell(window_size: Triple, *, slices: bool = False) -> Tensor:
    """Weights of a window, (d, h, w) float16, as nnU-Net computes them."""
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    extents = window_size[1:] if slices else window_size
    bell: Tensor = compute_gaussian(
        tuple(extents), sigma_scale=SIGMA_FRACTION, value_scaling_factor=BELL_PEAK, device=torch.device("cpu")
    )
    return bell.reshape(window_size)


@torch.no_grad()
def half_precision_logits(
    networks: Sequence[nn.Module], axes: Sequence[int], geometry: VolumeLogits, inputs: Tensor, *, slices: bool
) -> Tensor:
    """The logits of a case, summed in half precision in nnU-Net's order, (1, L, D, H, W) float16.

    On a processor the network computes in float32 and the sums are half; on a GPU the network runs under autocast as
    well. There is no gradient: attacks work on the same windows in float32.

    Args:
        networks: one per fold.
        axes: spatial axes of the networks to mirror along.
        geometry: what lays out the windows.
        inputs: (1, C, D, H, W).
        slices: the networks are two-dimensional.
    """
    device = geometry.compute_device or inputs.device
    padding = geometry.padding(inputs.shape[2:])
    padded = pad_volume(inputs, padding).to(device)
    grid = geometry.grid(padded.shape[2:])
    bell = window_bell(geometry.window_size, slices=slices).to(device)
    mean: Tensor | None = None
    with torch.autocast(device.type, enabled=device.type == "cuda"):
        for network in networks:
            logits: Tensor | None = None
            total = torch.zeros(padded.shape[2:], dtype=torch.half, device=device)
            for index in grid.indices:
                region = grid.region(index)
                window = _mirrored_mean(network, axes, padded[(..., *region)].contiguous(), slices=slices)[0]
                window *= bell
                if logits is None:
                    logits = torch.zeros((len(window), *padded.shape[2:]), dtype=torch.half, device=device)
                logits[(..., *region)] += window
                total[region] += bell
            assert logits is not None, "a grid has at least one window"
            # nnU-Net sums the folds in main memory.
            torch.div(logits, total, out=logits)
            mean = logits.cpu() if mean is None else mean.add_(logits.cpu())
    assert mean is not None, "there is at least one fold"
    if len(networks) > 1:
        mean /= len(networks)
    return crop_volume(mean[None], padding)


def _mirrored_mean(network: nn.Module, axes: Sequence[int], windows: Tensor, *, slices: bool) -> Tensor:
    copies = [MirroredCopy(network, chosen, slices=slices) for chosen in mirrorings(axes)]
    mean = copies[0](windows)
    for copy in copies[1:]:
        mean += copy(windows)
    if len(copies) > 1:
        mean /= len(copies)
    return mean
