"""nnU-Net's prediction in its own precision, to compare with: bit for bit what its predictor gives."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rogseg.inference.mirrored_copies import MirroredCopy, mirrorings
from rogseg.inference.sliding_window import VolumeLogits, crop_volume, pad_volume
from rogseg.systems.nnunet.windows import window_bell

__all__ = ["half_precision_logits"]


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
