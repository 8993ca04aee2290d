"""The nouns that everything shares: logits of a volume, the box of valid intensities, a case, a mini-batch."""

import copy
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from rogseg.task_plan import Region

__all__ = [
    "Batch",
    "Case",
    "IntensityBox",
    "LogitFn",
    "ReferenceWidth",
    "Region",
    "case_generator",
    "rows_of",
    "worded_cases",
]

LogitFn = Callable[[Tensor], Tensor]
"""(B, C, D, H, W) -> (B, K, D, H, W): raw logits, differentiable."""

ReferenceWidth = Callable[[str], Sequence[float]]
"""Case id -> width of a reference box per channel [raw units], for threats that compare systems."""


@dataclasses.dataclass(frozen=True)
class IntensityBox:
    """The set of volumes that a network may be given: an interval per case and channel [network units].

    Args:
        lower: (B or 1, C or 1, 1, 1, 1).
        upper: same layout; above ``lower`` everywhere.

    Raises:
        ValueError: a wrong layout, a bound that is not finite, or an empty interval.
    """

    lower: Tensor
    upper: Tensor

    def __post_init__(self) -> None:
        for name, bound in (("lower", self.lower), ("upper", self.upper)):
            if bound.ndim != 5 or bound.shape[2:] != (1, 1, 1):
                raise ValueError(
                    f"box.{name} has shape {tuple(bound.shape)}, expected (B or 1, C or 1, 1, 1, 1): "
                    "build it with IntensityBox.per_channel(lower, upper)"
                )
            if not torch.isfinite(bound).all():
                raise ValueError(f"box.{name} is not finite: give the bounds to which the inputs were clipped")
        if not (self.lower < self.upper).all():
            raise ValueError(
                "box.lower must be below box.upper in every channel: check the intensity window of the plan"
            )

    @classmethod
    def per_channel(cls, lower: Sequence[float], upper: Sequence[float]) -> Self:
        """One interval per channel, the same for every case."""
        return cls(
            torch.tensor(lower, dtype=torch.float32).reshape(1, -1, 1, 1, 1),
            torch.tensor(upper, dtype=torch.float32).reshape(1, -1, 1, 1, 1),
        )

    @classmethod
    def of(cls, box: "IntensityBox | tuple[float, float]") -> "IntensityBox":
        """A box as it is; two numbers are one interval for every channel."""
        if isinstance(box, IntensityBox):
            return box
        if len(box) != 2:
            raise ValueError(f"a box is two numbers, lower and upper bound, got {tuple(box)}")
        return cls.per_channel([box[0]], [box[1]])

    @property
    def width(self) -> Tensor:
        """Upper minus lower bound [network units], (B or 1, C or 1, 1, 1, 1)."""
        return self.upper - self.lower

    def of_cases(self, index: Tensor) -> "IntensityBox":
        """The box of some cases of the batch; ``index`` is a mask (B,) or indices."""
        return IntensityBox(rows_of(self.lower, index), rows_of(self.upper, index))

    def to(self, device: torch.device | str) -> "IntensityBox":
        """The same box on a device."""
        return self.moved(lambda bound: bound.to(device))

    def moved(self, move: Callable[[Tensor], Tensor]) -> "IntensityBox":
        """The same bounds elsewhere; not checked again, for which a GPU would have to be waited for."""
        box = copy.copy(self)
        object.__setattr__(box, "lower", move(self.lower))
        object.__setattr__(box, "upper", move(self.upper))
        return box

    def clip(self, volume: Tensor) -> Tensor:
        """Clip intensities (B, C, D, H, W) to the box."""
        return torch.minimum(torch.maximum(volume, self.lower.to(volume)), self.upper.to(volume))


@dataclasses.dataclass(frozen=True)
class Case:
    """One case as a network sees it.

    Args:
        case_id: its name.
        inputs: (1, C, D, H, W) [network units], inside the box.
        targets: (1, D, H, W) int64 class indices; None where there is no label.
        box: valid intensities [network units].
        movable: (1, 1, D, H, W) bool, voxels that an adversary may move and that count; the others are padding, or
            frozen by the preprocessing of a system. None is all.
        raw_width: width of the box in raw units [HU or scanner units], one number per channel.
        spacing: of the network's grid [mm]; None where nothing says.
        axes: where those of the network's grid point, such as ``SPL``; as NIfTI's own where nothing says.
        region: which part of the prepared volume this is; None is the whole.
        properties: what leads from the network's grid back to the raw grid, known to the system that prepared the case.
        modalities: of each channel, such as CT; empty where nothing says.
        notes: what a person should know of its files.
    """

    case_id: str
    inputs: Tensor
    targets: Tensor | None
    box: IntensityBox
    movable: Tensor | None = None
    raw_width: tuple[float, ...] = ()
    spacing: tuple[float, float, float] | None = None
    axes: str = "RAS"
    region: Region | None = None
    properties: Any = None
    modalities: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to(self, device: torch.device | str) -> "Case":
        """The same case on a device."""
        return dataclasses.replace(
            self,
            inputs=self.inputs.to(device),
            targets=None if self.targets is None else self.targets.to(device),
            box=self.box.to(device),
            movable=None if self.movable is None else self.movable.to(device),
        )


@dataclasses.dataclass(frozen=True)
class Batch:
    """Cases of one shape, stacked for training.

    Args:
        case_ids: B names.
        inputs: (B, C, D, H, W) float32 [network units].
        targets: (B, D, H, W) int64 class indices.
        box: valid intensities of each case, (B, C, 1, 1, 1) [network units].
        movable: (B, 1, D, H, W) bool, voxels of the cases; the others are padding.
    """

    case_ids: tuple[str, ...]
    inputs: Tensor
    targets: Tensor
    box: IntensityBox
    movable: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device; onto a GPU without waiting where its memory is pinned."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=device.type != "cpu"))

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory, which PyTorch's loader asks for."""
        return self._map(lambda tensor: tensor.pin_memory())

    def of_cases(self, chosen: Tensor) -> "Batch":
        """Some cases of the batch; ``chosen`` is a mask (B,)."""
        return Batch(
            tuple(case_id for case_id, is_chosen in zip(self.case_ids, chosen.tolist(), strict=True) if is_chosen),
            self.inputs[chosen],
            self.targets[chosen],
            self.box.of_cases(chosen),
            self.movable[chosen],
        )

    def _map(self, move: Callable[[Tensor], Tensor]) -> "Batch":
        return Batch(self.case_ids, move(self.inputs), move(self.targets), self.box.moved(move), move(self.movable))

    @classmethod
    def stack(cls, cases: Sequence[Case]) -> Self:
        """Stack labelled cases of one shape.

        Raises:
            ValueError: the shapes differ, or a case has no label; the message names the cases.
        """
        shapes = {case.case_id: tuple(case.inputs.shape) for case in cases}
        if len(set(shapes.values())) > 1:
            raise ValueError(f"cases of different shapes cannot be one mini-batch: {shapes}; use batch_size 1")
        unlabelled = [case.case_id for case in cases if case.targets is None]
        if unlabelled:
            raise ValueError(f"cases without a label cannot be trained on: {unlabelled}")
        return cls(
            tuple(case.case_id for case in cases),
            torch.cat([case.inputs for case in cases]),
            torch.cat([case.targets for case in cases if case.targets is not None]).long(),
            IntensityBox(torch.cat([case.box.lower for case in cases]), torch.cat([case.box.upper for case in cases])),
            torch.cat(
                [
                    torch.ones_like(case.inputs[:, :1], dtype=torch.bool) if case.movable is None else case.movable
                    for case in cases
                ]
            ),
        )


def rows_of(bound: Tensor, index: Tensor) -> Tensor:
    """Rows of a tensor whose first axis is the batch or 1 (then it is the same for every case)."""
    return bound if len(bound) == 1 else bound[index.to(bound.device)]


def case_generator(seed: int, case_id: str, epsilon: float, device: torch.device | str) -> torch.Generator:
    """A generator of this case and epsilon alone, so that results depend on no order, shard or restart."""
    digest = hashlib.sha256(f"{seed}/{case_id}/{epsilon!r}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7]))


def worded_cases(count: int) -> str:
    """A number of cases, in words of a sentence."""
    return "1 case" if count == 1 else f"{count} cases"
