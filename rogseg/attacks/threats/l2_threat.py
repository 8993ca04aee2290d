"""The Euclidean ball, its radius a root mean square in units of the box's width."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from rogseg.attacks.threats.base import ThreatModel, per_case, slabs
from rogseg.cases import IntensityBox
from rogseg.registry import THREATS

__all__ = ["L2Threat", "project_onto_ball_and_box"]

MAX_STEPS = 100  # of the projection


@THREATS.register_module()
@dataclass(frozen=True)
class L2Threat(ThreatModel):
    """The perturbation over the box's width, channel by channel, has a root mean square of at most epsilon.

    The mean goes over the values that may move, so the Euclidean norm is at most epsilon times the square root of their
    number, and epsilon means the same in every shape of volume. It does not mean what it means in Linf: this ball
    contains the Linf ball of the same epsilon and can spend all of it on a few voxels; at 8/255 it can rewrite a
    thousandth of the volume completely. Its useful range is 0.25 to 2/255.

    Epsilon is (B or 1, 1, 1, 1, 1); `radius` is the Euclidean norm that it allows.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epsilon.shape[1] != 1:
            raise ValueError(f"epsilon of an L2 ball is one number per case, got shape {tuple(self.epsilon.shape)}")

    @classmethod
    def from_fraction(cls, fraction: float, box: IntensityBox | tuple[float, float]) -> Self:
        """Epsilon as a root mean square in units of the box's width."""
        box = IntensityBox.of(box)
        return cls(box, torch.full_like(box.lower[:, :1], fraction))

    @classmethod
    def from_network_units(cls, epsilon: float, box: IntensityBox) -> Self:
        """Epsilon in [network units]; channels must have boxes of one width."""
        return cls(box, epsilon / common_width(box.width))

    @classmethod
    def from_raw_units(cls, epsilon: float, box: IntensityBox, raw_width: Tensor) -> Self:
        """Epsilon in raw units; channels must have one raw width."""
        return cls(box, epsilon / common_width(raw_width))

    def num_values(self, volume: Tensor) -> Tensor:
        """How many values of each case may move, (B,) float64."""
        if self.support is None:
            return torch.full((len(volume),), float(volume[0].numel()), dtype=torch.float64, device=volume.device)
        moving = self.support.flatten(1).sum(1, dtype=torch.float64).to(volume.device)
        return (moving * volume.shape[1]).expand(len(volume))

    def radius(self, volume: Tensor) -> Tensor:
        """The Euclidean norm that epsilon allows in units of the box's width, (B,) float64."""
        return self.epsilon.to(volume.device).double().flatten() * self.num_values(volume).sqrt()

    def nearest(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """The exact closest point of ball and box, in units of the box's width (`l2_projection`)."""
        width = self.box.width.to(inputs)
        lower, upper = (self.box.lower.to(inputs) - inputs) / width, (self.box.upper.to(inputs) - inputs) / width
        delta = project_onto_ball_and_box(
            (adversarial - inputs) / width, self.radius(inputs), lower.clamp_max_(0), upper.clamp_min_(0)
        )
        return self.clip_to_box(delta.mul_(width).add_(inputs))

    def distance(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Root mean square over the values that may move, in units of the box's width, (B,) float64."""
        width = self.box.width.to(inputs.device).double()
        squares = [((a - x) / width).square().flatten(1).sum(1) for x, a in slabs(inputs, adversarial)]
        return (torch.stack(squares).sum(0) / self.num_values(inputs).clamp(min=1)).sqrt()

    def ball_excess(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Root mean square minus epsilon, (B,) float64."""
        return self.distance(inputs, adversarial) - self.epsilon.to(inputs.device).double().flatten()

    def random_start(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """A random direction within the support, of length epsilon, then projected."""
        noise = torch.randn(inputs.shape, generator=generator, device=generator.device, dtype=inputs.dtype).to(inputs)
        if self.support is not None:
            noise.mul_(self.support)
        return self.project(inputs, self.along(noise).add_(inputs))

    def steepest(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to the perturbation in units of the width, scaled to length epsilon."""
        return self.along(gradient * self.box.width.to(gradient))

    def along(self, direction: Tensor) -> Tensor:
        """The perturbation of length epsilon [network units] along a direction in units of the box's width."""
        tiny = torch.finfo(direction.dtype).tiny
        # Dividing by the largest element first keeps the squares of very small gradients from vanishing.
        unit = direction / per_case(direction.flatten(1).abs().amax(1)).clamp_min(tiny)
        unit.div_(per_case(unit.flatten(1).norm(dim=1)).clamp_min(tiny))
        return unit.mul_(per_case(self.radius(direction)).to(direction)).mul_(self.box.width.to(direction))


def common_width(width: Tensor) -> Tensor:
    """The one width of every channel, (B or 1, 1, 1, 1, 1); ValueError where channels differ."""
    if not torch.allclose(width, width[:, :1].expand_as(width)):
        raise ValueError(
            "an L2 epsilon in network or raw units needs boxes of one width in every channel; "
            "use L2Threat.from_fraction"
        )
    return width[:, :1]


def project_onto_ball_and_box(delta: Tensor, radius: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """Closest point to ``delta`` with norm at most ``radius`` and lower <= point <= upper.

    By the optimality conditions the point is clip(t * delta, lower, upper) for one t in (0, 1] per case. Its squared
    norm, as a function of t^2, is sum_i min(t^2 delta_i^2, bound_i^2): concave, increasing and piecewise linear.
    Newton's method from the left (t = radius / |delta|) therefore never oversteps, so the result stays in the ball,
    and ends after finitely many steps; a handful in practice.

    Args:
        delta: (B, ...) displacement from the centre.
        radius: (B,) float64.
        lower: same shape as ``delta``, at most 0.
        upper: same shape as ``delta``, at least 0.

    Returns:
        Same shape as ``delta``.
    """
    columns = (-1, *[1] * (delta.ndim - 1))
    square = delta.square()
    bound_square = torch.where(delta > 0, upper, lower).square_()
    clipped_norm = torch.minimum(square, bound_square).flatten(1).sum(1, dtype=torch.float64)
    inside = clipped_norm <= radius.square()
    norm = square.flatten(1).sum(1, dtype=torch.float64)
    scale = torch.where(inside, 1.0, (radius.square() / norm.clamp_min(1e-300)).clamp_max(1.0))
    for _ in range(MAX_STEPS):
        grown = square * scale.to(delta.dtype).view(columns)
        free = grown < bound_square
        value = torch.minimum(grown, bound_square).flatten(1).sum(1, dtype=torch.float64)
        slope = torch.where(free, square, 0.0).flatten(1).sum(1, dtype=torch.float64)
        step = torch.where(inside | (slope <= 0), 0.0, (radius.square() - value) / slope.clamp_min(1e-300))
        step = torch.where(step > 1e-9 * scale, step, 0.0)
        if not step.any():
            break
        scale = (scale + step).clamp_max(1.0)
    factor = scale.sqrt().to(delta.dtype).view(columns)
    return torch.minimum(torch.maximum(delta * factor, lower), upper)
