"""Logits of a volume that changes in one cuboid at a time: only the windows that the cuboid touches run again."""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from rogseg.inference.sliding_window import VolumeLogits, gather_windows, pad_volume
from rogseg.inference.windows import WindowIndex
from rogseg.task_plan import Region

__all__ = ["CachedVolumeLogits", "RegionVolumeLogits"]


@dataclasses.dataclass(frozen=True)
class _Proposal:
    """What changed, and what stood there before."""

    region: Region
    old_values: Tensor
    box: Region
    old_logits: Tensor
    windows: dict[WindowIndex, Tensor]


class CachedVolumeLogits:
    """The blended logits of one volume, with the logits of each window kept.

    A window's logits depend on that window alone (an instance norm sees nothing outside it), so a change inside a
    cuboid leaves the other windows as they are. The blend is summed anew over the touched box, in the order of a full
    evaluation: the result is that of a full evaluation, not a running sum that drifts.

    The kept logits take up to 2 ** 3 times the memory of the blended ones at half overlap.
    """

    def __init__(self, volume_logits: VolumeLogits, inputs: Tensor) -> None:
        """Evaluate every window of (1, C, D, H, W) once.

        Raises:
            ValueError: the batch holds more than one case; each needs a cache of its own.
        """
        if inputs.ndim != 5 or inputs.shape[0] != 1:
            raise ValueError(f"inputs must have shape (1, C, D, H, W), got {tuple(inputs.shape)}")
        self._volume_logits = volume_logits
        self._padding = volume_logits.padding(inputs.shape[2:])
        self._padded = pad_volume(inputs.detach(), self._padding).clone()
        self._grid = volume_logits.grid(self._padded.shape[2:])
        self._windows = self._evaluate(self._grid.indices)
        num_classes = next(iter(self._windows.values())).shape[1]
        self._blended = self._padded.new_empty(1, num_classes, *self._padded.shape[2:])
        self._proposal: _Proposal | None = None
        self._blend(self._grid.indices, {})

    @property
    def logits(self) -> Tensor:
        """The logits (1, K, D, H, W) of the volume as it stands; a view that the next change writes into."""
        return self._volume_logits.finished(self._blended, self._padding)

    @property
    def num_windows(self) -> int:
        """Windows of the whole volume: what a full evaluation costs."""
        return len(self._grid.indices)

    def num_touched(self, region: Sequence[slice]) -> int:
        """How many windows a change inside ``region`` [voxels of the volume, unpadded] evaluates again."""
        return self._grid.num_touched(self._padded_region(region))

    def propose(self, values: Tensor, region: Sequence[slice]) -> Tensor:
        """Put ``values`` (1, C, d, h, w) into the cuboid ``region`` and return `logits`; then `accept` or `reject`.

        Raises:
            ValueError: another proposal is open, or the values do not fit the region.
        """
        if self._proposal is not None:
            raise ValueError("a proposal is open: accept or reject it before the next one")
        region = self._padded_region(region)
        place = (..., *region)
        if values.shape != self._padded[place].shape or values.numel() == 0:
            raise ValueError(f"values of shape {tuple(values.shape)} do not fit the region {region}")
        touched = self._grid.touched(region)
        old_values = self._padded[place].clone()
        self._padded[place] = values
        windows = self._evaluate(touched)
        box = self._box(touched)
        self._proposal = _Proposal(region, old_values, box, self._blended[(..., *box)].clone(), windows)
        self._blend(touched, windows)
        return self.logits

    def accept(self) -> None:
        """Keep the proposed change."""
        self._windows.update(self._open_proposal().windows)
        self._proposal = None

    def reject(self) -> None:
        """Go back to the volume before the proposal."""
        proposal = self._open_proposal()
        self._padded[(..., *proposal.region)] = proposal.old_values
        self._blended[(..., *proposal.box)] = proposal.old_logits
        self._proposal = None

    def _open_proposal(self) -> _Proposal:
        if self._proposal is None:
            raise ValueError("no proposal is open: call propose first")
        return self._proposal

    def _padded_region(self, region: Sequence[slice]) -> Region:
        x, y, z = (
            slice(cut.start + before, cut.stop + before)
            for cut, before in zip(region, self._padding[-2::-2], strict=True)
        )
        return x, y, z

    def _box(self, indices: tuple[WindowIndex, ...]) -> Region:
        """The cuboid that a product of neighbouring windows fills."""
        first, last = self._grid.region(indices[0]), self._grid.region(indices[-1])
        x, y, z = (slice(low.start, high.stop) for low, high in zip(first, last, strict=True))
        return x, y, z

    @torch.no_grad()
    def _evaluate(self, indices: tuple[WindowIndex, ...]) -> dict[WindowIndex, Tensor]:
        windows: dict[WindowIndex, Tensor] = {}
        for group in self._volume_logits.groups(indices):
            logits = self._volume_logits.evaluate(gather_windows(self._padded, self._grid, group)).to(self._padded)
            # A clone each, so that one kept window does not hold the memory of its whole group.
            windows.update(zip(group, (part.clone() for part in logits.chunk(len(group))), strict=True))
        return windows

    def _blend(self, changed: tuple[WindowIndex, ...], windows: dict[WindowIndex, Tensor]) -> None:
        """Sum the blend anew where ``changed`` windows lie; ``windows`` stand in for the kept ones."""
        box = self._box(changed)
        self._blended[(..., *box)] = 0
        for index in self._grid.touched(box):
            region = self._grid.region(index)
            shared, inner = _overlap(region, box)
            logits = windows.get(index, self._windows[index])
            weight = self._grid.weight(index, self._padded)
            self._blended[(..., *shared)].addcmul_(logits[(..., *inner)], weight[inner])


def _overlap(region: Region, box: Region) -> tuple[Region, Region]:
    """Where a window meets a box: in the volume's voxels and in the window's."""
    x, y, z = (slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(region, box, strict=True))
    i, j, k = (
        slice(cut.start - window.start, cut.stop - window.start) for cut, window in zip((x, y, z), region, strict=True)
    )
    return (x, y, z), (i, j, k)


class RegionVolumeLogits:
    """Logits of whole volumes, of which single ones can be kept open for local changes, as the Square attack wants.

    Gives the same logits as the `VolumeLogits` that it wraps, so an attack decides the same through either; a query
    costs the windows that its cuboid touches instead of all. An open case keeps the logits of all its windows.
    """

    def __init__(self, volume_logits: VolumeLogits) -> None:
        self.volume_logits = volume_logits

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits, differentiable."""
        return self.volume_logits(inputs)

    def open_case(self, inputs: Tensor) -> CachedVolumeLogits:
        """Evaluate (1, C, D, H, W) in full, without a graph, and keep the logits of its windows."""
        return CachedVolumeLogits(self.volume_logits, inputs)
