"""What rounding in the frequency domain can do to a volume: the threat model of VAFA."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from rogseg.attacks.frequency.block_dct import block_lengths
from rogseg.attacks.threats import ThreatModel
from rogseg.attacks.threats.l2_threat import project_onto_ball_and_box
from rogseg.cases import Region
from rogseg.registry import THREATS

__all__ = ["QuantisationThreat"]


@THREATS.register_module()
@dataclass(frozen=True)
class QuantisationThreat(ThreatModel):
    """In each block the root mean square of the perturbation is at most half of epsilon, a step of quantisation.

    20/255 is VAFA's q_max of 20. To round a coefficient to a multiple of a step moves it by at most half the step; an
    orthonormal transform keeps the root mean square of a block; and clipping to a box that holds the clean volume makes
    no perturbation longer. So all that VAFA can make lies in this set. The set holds more than that: another attack
    that is run in it is not VAFA. Blocks are those of `block_dct`, each channel by itself.

    **Not comparable with the epsilon of Linf**: no voxel is bounded by less than the box, and a block may spend all it
    has on a few. Epsilon is (B or 1, C or 1, 1, 1, 1) [network units]; `distance` is the step that a perturbation
    amounts to.
    """

    def nearest(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """The exact closest point, block by block and channel by channel."""
        found = torch.empty_like(inputs)
        lower, upper = (
            bound.to(inputs).expand(*inputs.shape[:2], 1, 1, 1) for bound in (self.box.lower, self.box.upper)
        )
        for region in _regions(inputs):
            place = (slice(None), slice(None), *region)
            clean = inputs[place].flatten(0, 1)
            delta = project_onto_ball_and_box(
                adversarial[place].flatten(0, 1) - clean,
                self._radius(inputs, clean[0].numel()).flatten(),
                (lower.flatten(0, 1) - clean).clamp_(max=0),
                (upper.flatten(0, 1) - clean).clamp_(min=0),
            )
            found[place] = (clean + delta).view_as(found[place])
        return self.clip_to_box(found)

    def distance(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Twice the largest root mean square of a block, in units of the box's width, (B,) float64."""
        width = self.box.width.to(inputs.device).double().flatten(1)
        return (self._steps(inputs, adversarial) / width).amax(1)

    def ball_excess(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """That minus epsilon, (B,) float64."""
        width, epsilon = (part.to(inputs.device).double().flatten(1) for part in (self.box.width, self.epsilon))
        return ((self._steps(inputs, adversarial) - epsilon) / width).amax(1)

    def random_start(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """In each block a random direction within the support, of the length that is allowed, clipped to the box."""
        noise = torch.randn(inputs.shape, generator=generator, device=generator.device, dtype=inputs.dtype).to(inputs)
        return self.project(inputs, self.steepest_ascent(noise).add_(inputs))

    def steepest(self, gradient: Tensor) -> Tensor:
        """In each block along its gradient, as far as is allowed."""
        found, tiny = torch.empty_like(gradient), torch.finfo(gradient.dtype).tiny
        for region in _regions(gradient):
            place = (slice(None), slice(None), *region)
            block = gradient[place]
            unit = block / block.abs().amax((2, 3, 4), keepdim=True).clamp_min(tiny)
            unit = unit / unit.flatten(2).norm(dim=2).clamp_min(tiny)[..., None, None, None]
            found[place] = unit * self._radius(gradient, block[0, 0].numel()).to(gradient)[..., None, None, None]
        return found

    def _radius(self, volume: Tensor, num_voxels: int) -> Tensor:
        """The Euclidean norm that a block of so many voxels may have [network units], (B, C) float64."""
        epsilon = self.epsilon.to(volume.device).double().flatten(1).expand(volume.shape[0], volume.shape[1])
        return epsilon / 2 * num_voxels**0.5

    def _steps(self, inputs: Tensor, adversarial: Tensor) -> Tensor:
        """Twice the largest root mean square of a block [network units], (B, C) float64."""
        squares = [
            (adversarial[(..., *region)].double() - inputs[(..., *region)].double()).square().flatten(2).mean(2)
            for region in _regions(inputs)
        ]
        return 2 * torch.stack(squares).amax(0).sqrt()


def _regions(volume: Tensor) -> Iterator[Region]:
    """Where the blocks of a volume (B, C, D, H, W) are."""
    axes = []
    for length in volume.shape[2:]:
        ends = list(itertools.accumulate(block_lengths(length), initial=0))
        axes.append([slice(start, end) for start, end in itertools.pairwise(ends)])
    return itertools.product(axes[0], axes[1], axes[2])
