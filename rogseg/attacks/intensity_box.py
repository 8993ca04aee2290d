"""The set of volumes that a network may be given: an interval per case and channel."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["IntensityBox"]


@dataclass(frozen=True)
class IntensityBox:
    """Valid intensities in [network units], constant over the voxels of a channel.

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
    def per_channel(cls, lower: Sequence[float], upper: Sequence[float]) -> "IntensityBox":
        """One interval per channel, the same for every case."""
        return cls(
            torch.tensor(lower, dtype=torch.float32).reshape(1, -1, 1, 1, 1),
            torch.tensor(upper, dtype=torch.float32).reshape(1, -1, 1, 1, 1),
        )

    @property
    def width(self) -> Tensor:
        """Upper minus lower bound [network units], (B or 1, C or 1, 1, 1, 1)."""
        return self.upper - self.lower

    def of_cases(self, index: Tensor) -> "IntensityBox":
        """The box of some cases of the batch; ``index`` is a mask (B,) or indices."""
        return IntensityBox(rows_of(self.lower, index), rows_of(self.upper, index))


def rows_of(bound: Tensor, index: Tensor) -> Tensor:
    """Rows of a tensor whose first axis is the batch or 1 (then it is the same for every case)."""
    return bound if len(bound) == 1 else bound[index.to(bound.device)]
