"""Logits of a whole volume from networks that see one window, with the exact gradient for the volume."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rogseg.cases import LogitFn
from rogseg.inference.graph_replay import GraphReplay
from rogseg.inference.half_precision import in_dtype
from rogseg.inference.mirrored_copies import mirrored_copies
from rogseg.inference.windows import GridPlanner, WindowGrid, WindowIndex, plan_windows
from rogseg.task_plan import Triple

__all__ = ["VolumeLogits"]


class VolumeLogits:
    """Networks over windows, made a network over volumes; itself a LogitFn that every attack can work on.

    The blended logits are computed without a graph, window by window. Backward runs each window once more, with a
    graph, and sends the blend's gradient through it, so the gradient is exact and the memory for activations is that
    of one group of windows in one network, however large the volume and however many the networks. It is the gradient
    for the inputs only: parameters get none.

    A volume smaller than the window is padded with 0 [network units] inside, evenly on both sides, and the padding is
    cut from the result. A volume of one window is handed to a single network directly, under plain autograd.
    """

    def __init__(
        self,
        model: LogitFn | Sequence[LogitFn],
        window_size: Sequence[int],
        overlap: float = 0.5,
        *,
        mirror_axes: Sequence[int] = (),
        window_batch: int = 1,
        compute_device: torch.device | str | None = None,
        dtype: Literal["float32", "bfloat16"] = "float32",
        cuda_graphs: bool = False,
        plan_grid: GridPlanner = plan_windows,
        after_blend: LogitFn | None = None,
    ) -> None:
        """Keep the networks and the geometry.

        Args:
            model: (B, C, d, h, w) -> (B, K, d, h, w) raw logits; the mean where there are several, such as folds.
            window_size: extent of a window [voxels].
            overlap: fraction of a window that neighbours share at least, in [0, 1).
            mirror_axes: of the volume, 0 to 2, along which windows are mirrored; the logits are the mean over all
                2 ** n copies, which take 2 ** n times as long.
            window_batch: windows per call of the network, for each case of the batch.
            compute_device: where windows are evaluated, if not where the volume lies; a volume in main memory with
                windows on a GPU is how large cases fit.
            dtype: that the networks compute in; ``bfloat16`` takes a fraction of the time where the processor has
                units for it, and is another network by as much as it rounds.
            cuda_graphs: replay the networks' passes on a GPU, for the memory of a pass of each (`GraphReplay`).
            plan_grid: lays the windows over a volume.
            after_blend: makes raw logits of what is blended, where the networks give something else, such as
                probabilities; voxel by voxel.

        Raises:
            ValueError: there is no network, or a size, the overlap, an axis or the number of windows is out of range.
        """
        if len(window_size) != 3 or min(window_size) < 1:
            raise ValueError(f"window_size must be three positive whole numbers, got {window_size}")
        if not 0 <= overlap < 1:
            raise ValueError(f"overlap must lie in [0, 1), got {overlap}")
        if window_batch < 1:
            raise ValueError(f"window_batch must be at least 1, got {window_batch}")
        self.models: tuple[LogitFn, ...] = (model,) if callable(model) else tuple(model)
        if not self.models:
            raise ValueError("model must hold at least one network")
        self.models = tuple(in_dtype(network, dtype) for network in self.models)
        if cuda_graphs:
            self.models = tuple(GraphReplay(network) for network in self.models)
        if len(set(mirror_axes)) != len(mirror_axes) or not set(mirror_axes) <= {0, 1, 2}:
            raise ValueError(f"mirror_axes must be some of 0, 1, 2, each once, got {list(mirror_axes)}")
        self.mirror_axes = tuple(sorted(mirror_axes))
        if self.mirror_axes:
            self.models = mirrored_copies(self.models, self.mirror_axes)
        self.plan_grid = plan_grid
        self.after_blend = after_blend
        depth, height, width = window_size
        self.window_size: Triple = (depth, height, width)
        self.overlap = overlap
        self.window_batch = window_batch
        self.compute_device = None if compute_device is None else torch.device(compute_device)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Map (B, C, D, H, W) to blended logits (B, K, D, H, W)."""
        if inputs.ndim != 5:
            raise ValueError(f"inputs must have shape (B, C, D, H, W), got {tuple(inputs.shape)}")
        padding = self.padding(inputs.shape[2:])
        padded = pad_volume(inputs, padding)
        grid = self.grid(padded.shape[2:])
        if len(grid.indices) == 1 and len(self.models) == 1:
            logits = self.evaluate(padded).to(padded)
        elif torch.is_grad_enabled() and inputs.requires_grad:
            logits = _BlendedLogits.apply(padded, self, grid)  # type: ignore[no-untyped-call]
        else:
            with torch.no_grad():
                logits = self.blend(padded, grid)
        return self.finished(logits, padding)

    def finished(self, blended: Tensor, padding: tuple[int, ...]) -> Tensor:
        """Raw logits of the volume itself from what was blended over the padded one."""
        cropped = crop_volume(blended, padding)
        return cropped if self.after_blend is None else self.after_blend(cropped)

    def padding(self, size: torch.Size) -> tuple[int, ...]:
        """What is padded so that one window fits, in the order of `torch.nn.functional.pad` (last axis first)."""
        missing = [max(0, extent - length) for extent, length in zip(self.window_size, size, strict=True)]
        return tuple(side for gap in reversed(missing) for side in (gap // 2, gap - gap // 2))

    def grid(self, padded_size: torch.Size) -> WindowGrid:
        """The windows over a padded volume."""
        depth, height, width = padded_size
        return self.plan_grid((depth, height, width), self.window_size, self.overlap)

    def evaluate(self, windows: Tensor) -> Tensor:
        """The mean logits of the networks on a batch of windows."""
        logits = self.call(self.models[0], windows)
        for model in self.models[1:]:
            logits = logits + self.call(model, windows)
        return logits / len(self.models) if len(self.models) > 1 else logits

    def call(self, model: LogitFn, windows: Tensor) -> Tensor:
        """Call one network on a batch of windows and check what it gives.

        Raises:
            ValueError: the result is not one tensor of logits with the shape of the windows.
        """
        logits = model(windows.to(self.compute_device or windows.device))
        if not isinstance(logits, Tensor):
            raise ValueError(f"the model must return one tensor of logits, it returned {type(logits).__name__}")
        if logits.ndim != 5 or logits.shape[0] != windows.shape[0] or logits.shape[2:] != windows.shape[2:]:
            raise ValueError(
                f"the model must map {tuple(windows.shape)} to logits (B, K, D, H, W) of the same B and spatial "
                f"shape, it gave {tuple(logits.shape)}"
            )
        return logits

    def groups(self, indices: tuple[WindowIndex, ...]) -> Iterator[tuple[WindowIndex, ...]]:
        """Split windows into the groups that one call of the network takes."""
        for first in range(0, len(indices), self.window_batch):
            yield indices[first : first + self.window_batch]

    def blend(self, padded: Tensor, grid: WindowGrid) -> Tensor:
        """The blended logits of a padded volume; call it without gradients."""
        blended: Tensor | None = None
        for group in self.groups(grid.indices):
            logits = self.evaluate(gather_windows(padded, grid, group)).to(padded)
            if blended is None:
                blended = padded.new_zeros(padded.shape[0], logits.shape[1], *padded.shape[2:])
            for index, window in zip(group, logits.chunk(len(group)), strict=True):
                blended[(..., *grid.region(index))].addcmul_(window, grid.weight(index, padded))
        assert blended is not None, "a grid has at least one window"
        return blended


class _BlendedLogits(torch.autograd.Function):
    """Forward without a graph; backward window by window and network by network, each with a graph of its own."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, volume_logits: VolumeLogits, grid: WindowGrid) -> Tensor:
        ctx.save_for_backward(padded)
        ctx.volume_logits, ctx.grid = volume_logits, grid
        # Backward may be called outside the caller's autocast, where the second run would differ from the first.
        device_type = (volume_logits.compute_device or padded.device).type
        ctx.autocast = (device_type, torch.get_autocast_dtype(device_type), torch.is_autocast_enabled(device_type))
        return volume_logits.blend(padded, grid)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (padded,) = ctx.saved_tensors
        (gradient,) = gradients
        volume_logits, grid = ctx.volume_logits, ctx.grid
        device_type, dtype, enabled = ctx.autocast
        result = torch.zeros_like(padded)
        for group in volume_logits.groups(grid.indices):
            weighted = torch.cat(
                [gradient[(..., *grid.region(index))] * grid.weight(index, gradient) for index in group]
            ) / len(volume_logits.models)
            for model in volume_logits.models:
                with torch.enable_grad():
                    windows = gather_windows(padded, grid, group).requires_grad_()
                    with torch.autocast(device_type, dtype=dtype, enabled=enabled):
                        logits = volume_logits.call(model, windows)
                if not logits.requires_grad:
                    raise ValueError(
                        "the model's logits have no gradient for its inputs, so no attack can follow it: take one that "
                        "asks for none, such as Square"
                    )
                (window_gradients,) = torch.autograd.grad(logits, windows, weighted.to(logits))
                # The graph's tensors go before the next group's come: otherwise two groups are held at once.
                del logits
                for index, part in zip(group, window_gradients.chunk(len(group)), strict=True):
                    result[(..., *grid.region(index))] += part
        return result, None, None


def gather_windows(padded: Tensor, grid: WindowGrid, group: tuple[WindowIndex, ...]) -> Tensor:
    """Copy windows of all cases into one batch, (number of windows * B, C, d, h, w), window by window."""
    return torch.cat([padded.detach()[(..., *grid.region(index))] for index in group])


def pad_volume(volume: Tensor, padding: tuple[int, ...]) -> Tensor:
    """Pad the three spatial axes with 0; the same tensor where there is nothing to pad."""
    return torch.nn.functional.pad(volume, padding) if any(padding) else volume


def crop_volume(volume: Tensor, padding: tuple[int, ...]) -> Tensor:
    """Undo `pad_volume`."""
    if not any(padding):
        return volume
    x, y, z = (slice(before, -after or None) for before, after in zip(padding[-2::-2], padding[-1::-2], strict=True))
    return volume[..., x, y, z]
