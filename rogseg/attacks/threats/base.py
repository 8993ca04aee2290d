"""What an adversary may do: a ball around the clean volume, intersected with the box of valid intensities.

Epsilon is stated as a fraction of the box's width, so that 8/255 means the same in every channel, task and
preprocessing; the other constructors take [network units] or raw units [HU or scanner units] and convert.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self, final

import torch
from torch import Tensor

from rogseg.cases import IntensityBox, Region, rows_of

__all__ = ["TOLERANCE", "ThreatModel", "per_case", "slabs"]

TOLERANCE = 1e-6  # of the box's width: what rounding in float32 may add where the box is not far from 0
SLAB_ELEMENTS = 2**18  # float64 checks go slab by slab, so that a whole volume is never copied in double precision


@dataclass(frozen=True)
class ThreatModel(ABC):
    """Ball of radius epsilon around the clean volume, inside the box; the only place that knows a norm.

    Args:
        box: valid intensities [network units].
        epsilon: radius; its layout and unit are the subclass's.
        support: voxels that may move, (B, 1, D, H, W) bool; the others, such as padding, stay. None is all.
    """

    box: IntensityBox
    epsilon: Tensor
    support: Tensor | None = None

    def __post_init__(self) -> None:
        if self.epsilon.ndim != 5 or self.epsilon.shape[2:] != (1, 1, 1):
            raise ValueError(f"epsilon has shape {tuple(self.epsilon.shape)}, expected (B or 1, C or 1, 1, 1, 1)")
        if not (torch.isfinite(self.epsilon) & (self.epsilon >= 0)).all():
            raise ValueError("epsilon must be finite and at least 0")
        if self.support is not None and (self.support.dtype != torch.bool or self.support.ndim != 5):
            raise ValueError(
                f"support is {self.support.dtype} of shape {tuple(self.support.shape)}, expected bool (B, 1, D, H, W)"
            )

    @classmethod
    def from_fraction(cls, fraction: float, box: IntensityBox | tuple[float, float]) -> Self:
        """Epsilon as a fraction of the box's width, channel by channel; two numbers are the box of every channel."""
        box = IntensityBox.of(box)
        return cls(box, fraction * box.width)

    @classmethod
    def from_network_units(cls, epsilon: float, box: IntensityBox) -> Self:
        """Epsilon in [network units], the same in every channel."""
        return cls(box, torch.full_like(box.width, epsilon))

    @classmethod
    def from_raw_units(cls, epsilon: float, box: IntensityBox, raw_width: Tensor) -> Self:
        """Epsilon in raw units [HU or scanner units]; ``raw_width``, (B or 1, C or 1, 1, 1, 1), is the box's width."""
        return cls(box, epsilon / raw_width * box.width)

    @property
    def tolerance(self) -> float:
        """Of the box's width: 1e-6, or the step of float32 where a narrow box lies so far from 0 that it is larger."""
        farthest = torch.maximum(self.box.lower.abs(), self.box.upper.abs()) / self.box.width
        return max(TOLERANCE, torch.finfo(torch.float32).eps * float(farthest.max()))

    @final
    @torch.no_grad()
    def project(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """The closest volume in ball and box that leaves the voxels outside the support alone: (B, C, D, H, W)."""
        if self.support is None:
            return self.nearest(inputs, adversarial)
        nearest = self.nearest(inputs, torch.where(self.support, adversarial, inputs))
        return torch.where(self.support, nearest, inputs)  # what may not move need not lie in the box either

    @abstractmethod
    def nearest(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """The closest volume in ball and box, whatever the support: (B, C, D, H, W)."""

    @abstractmethod
    def distance(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Length of the perturbation in units of the box's width, (B,) float64."""

    @abstractmethod
    def ball_excess(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """How far outside the ball, in units of the box's width, (B,) float64; at most 0 inside."""

    @abstractmethod
    def random_start(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """A random volume in ball and box; drawn on the generator's device."""

    @final
    def steepest_ascent(self, gradient: Tensor) -> Tensor:
        """The perturbation of radius epsilon, within the support, along which a loss with this gradient grows most."""
        return self.steepest(gradient if self.support is None else gradient * self.support)

    @abstractmethod
    def steepest(self, gradient: Tensor) -> Tensor:
        """Steepest ascent in the ball, whatever the support; 0 where the gradient is 0."""

    def of_cases(self, index: Tensor) -> Self:
        """The threat model of some cases of the batch; ``index`` is a mask (B,) or indices."""
        support = None if self.support is None else rows_of(self.support, index)
        return replace(self, box=self.box.of_cases(index), epsilon=rows_of(self.epsilon, index), support=support)

    def in_region(self, region: Region) -> Self:
        """The same ball and box for a cuboid of the volume, of which the support is cut."""
        if self.support is None:
            return self
        return replace(self, support=self.support[(slice(None), slice(None), *region)])

    def scaled(self, factor: float) -> Self:
        """The same box with epsilon times ``factor``."""
        return replace(self, epsilon=self.epsilon * factor)

    def within(self, support: Tensor) -> Self:
        """The same ball and box for some voxels, (B, 1, D, H, W) bool; the others stay as they are."""
        return replace(self, support=support)

    def clip_to_box(self, volume: Tensor) -> Tensor:
        """Clip intensities to the box."""
        return torch.minimum(torch.maximum(volume, self.box.lower.to(volume)), self.box.upper.to(volume))

    def excess(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """How far outside ball or box, in units of the box's width, (B,) float64; at most 0 inside, NaN stays NaN.

        A voxel outside the support that moved is outside the ball by its whole move; the box does not bind it.
        """
        beyond_ball = self.ball_excess(inputs, adversarial)
        if self.support is None:
            return torch.maximum(beyond_ball, box_excess(self.box, adversarial))
        moving = torch.where(self.support, adversarial, self.box.clip(adversarial))
        excess = torch.maximum(beyond_ball, box_excess(self.box, moving))
        still = torch.where(self.support, inputs, adversarial)
        moved = ((still.double() - inputs.double()).abs() / self.box.width.to(inputs.device).double()).flatten(1)
        return torch.maximum(excess, moved.amax(1))

    def contains(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Whether each case is in ball and box, within `tolerance`, in float64: (B,) bool."""
        return self.excess(inputs, adversarial) <= self.tolerance

    def assert_admissible(self, inputs: Tensor, adversarial: Tensor) -> None:
        """Refuse a volume outside ball or box by over `tolerance`, measured in float64.

        Raises:
            AssertionError: naming the cases and by how much they are outside.
        """
        excess = self.excess(inputs, adversarial)
        bad = ~(excess <= self.tolerance)
        if bad.any():
            cases = bad.nonzero().flatten().tolist()
            raise AssertionError(
                f"adversarial volumes {cases} of the batch lie outside the threat model by "
                f"{excess[bad].tolist()} of the box's width: this is an error of the attack, its result means nothing"
            )


def box_excess(box: IntensityBox, volume: Tensor) -> Tensor:
    """How far outside the box, in units of its width, (B,) float64; at most 0 inside."""
    lower, upper = box.lower.to(volume.device).double(), box.upper.to(volume.device).double()
    outside = [
        (torch.maximum(lower - values, values - upper) / (upper - lower)).flatten(1).amax(1)
        for (values,) in slabs(volume)
    ]
    return torch.stack(outside).amax(0)


def per_case(values: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1, 1, 1), to be broadcast over volumes."""
    return values.view(-1, 1, 1, 1, 1)


def slabs(*volumes: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Matching slabs of volumes (B, C, D, H, W) along D, in float64."""
    shape = volumes[0].shape
    depth = max(1, SLAB_ELEMENTS // max(1, volumes[0].numel() // shape[2]))
    for start in range(0, shape[2], depth):
        yield tuple(volume.detach()[:, :, start : start + depth].double() for volume in volumes)
