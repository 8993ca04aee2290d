"""What Square writes into a cuboid, norm by norm."""

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from rogseg.attacks.threats import L2Threat, LinfThreat, ThreatModel
from rogseg.cases import Region

__all__ = ["Proposal", "Recolouring", "recolouring_for"]


class Proposal(NamedTuple):
    """New values (C, d, h, w) of a cuboid, and whether they are kept where the score stays the same."""

    values: Tensor
    keeps_ties: bool


class Recolouring(ABC):
    """Makes the start of a case and the new values of a cuboid, inside ball and box.

    Args:
        inputs: (1, C, D, H, W), the clean case.
        threat: of this case.
        stream: the case's own random numbers.
    """

    def __init__(self, inputs: Tensor, threat: ThreatModel, stream: torch.Generator) -> None:
        self.inputs, self.threat, self.stream = inputs, threat, stream

    def start(self) -> Tensor:
        """Stripes of plus and minus epsilon along the longest axis, (1, C, D, H, W)."""
        shape = list(self.inputs.shape)
        shape[2 + shape[2:].index(max(shape[2:]))] = 1
        stripes = self.signs(tuple(shape)).expand_as(self.inputs)
        return self.threat.project(self.inputs, self.inputs + self.threat.steepest_ascent(stripes))

    @abstractmethod
    def propose(self, volume: Tensor, region: Region) -> Proposal:
        """New values of a cuboid of the volume (C, D, H, W) as it stands."""

    def signs(self, shape: tuple[int, ...]) -> Tensor:
        """Plus and minus one at random."""
        return (torch.randint(2, shape, generator=self.stream) * 2 - 1).to(self.inputs)


class _ToTheEdge(Recolouring):
    """Linf: every voxel of the cuboid goes to the ball's edge, up or down channel by channel."""

    def propose(self, volume: Tensor, region: Region) -> Proposal:
        place = (slice(None), *region)
        clean, current = self.inputs[0][place][None], volume[place]
        threat = self.threat.in_region(region)
        push = self.threat.epsilon.to(clean) * self.signs((1, clean.shape[1], 1, 1, 1))
        values = threat.project(clean, clean + push)[0]
        if torch.equal(values, current):
            values = threat.project(clean, clean - push)[0]
        return Proposal(values, keeps_ties=False)


class _NormMoved(Recolouring):
    """L2: a cuboid is given back to the clean volume, or gets all the norm that the rest of the volume leaves it.

    A withdrawal is kept if nothing is lost by it. What it frees is there for every later cuboid, so the norm gathers
    where it hurts, although a proposal changes one cuboid only and costs no more queries than in Linf.
    """

    def propose(self, volume: Tensor, region: Region) -> Proposal:
        assert isinstance(self.threat, L2Threat), "chosen by recolouring_for"
        place = (slice(None), *region)
        clean = self.inputs[0][place]
        kind = int(torch.randint(3, (), generator=self.stream))
        if kind == 0:
            return Proposal(clean, keeps_ties=True)
        width = self.threat.box.width.to(self.inputs)[0]
        moved = ((volume - self.inputs[0]) / width).double().square()
        outside = moved.sum() - moved[place].sum()
        left = float((self.threat.radius(self.inputs)[0].square() - outside).clamp(min=0))
        weight = torch.ones_like(clean) if kind == 1 else self._half(clean)
        support = self.threat.in_region(region).support
        if support is not None:
            weight = weight * support[0]
        number = float(weight.sum())
        height = math.sqrt(left / number) if number > 0 else 0.0
        push = height * self.signs((len(clean), 1, 1, 1)) * weight * width
        return Proposal(self.threat.clip_to_box((clean + push)[None])[0], keeps_ties=False)

    def _half(self, clean: Tensor) -> Tensor:
        """Ones in one half of the cuboid along a random axis, zeros in the other."""
        weight = torch.ones_like(clean)
        axis = 1 + int(torch.randint(3, (), generator=self.stream))
        is_low = bool(torch.randint(2, (), generator=self.stream))
        middle = clean.shape[axis] // 2
        weight.narrow(axis, 0 if is_low else middle, middle if is_low else clean.shape[axis] - middle).zero_()
        return weight if weight.any() else torch.ones_like(clean)


def recolouring_for(threat: ThreatModel) -> type[Recolouring]:
    """The recolouring of a norm.

    Raises:
        ValueError: none is known for this threat.
    """
    if isinstance(threat, LinfThreat):
        return _ToTheEdge
    if isinstance(threat, L2Threat):
        return _NormMoved
    raise ValueError(f"Square knows LinfThreat and L2Threat, not {type(threat).__name__}")
