"""ALMA-prox: the smallest largest move that wins every voxel, by an augmented Lagrangian and proximal steps."""

import torch
from torch import Tensor

from rogseg.attacks.proximal.descent import ProximalAttack, ProximalDescent
from rogseg.attacks.proximal.voxel_constraints import VoxelConstraints
from rogseg.registry import ATTACKS

__all__ = ["ALMAProx"]

FIRST_PENALTY, HIGHEST_PENALTY = 0.01, 1e3
LOWEST_MULTIPLIER, HIGHEST_MULTIPLIER = 1e-6, 1e3
LOWEST_PRESSURE, PRESSURE_STEP = 0.1, 0.02
LAST_LENGTH = 0.1  # of the first step length


@ATTACKS.register_module()
class ALMAProx(ProximalAttack):
    """A minimal-norm attack with a multiplier for every voxel of the organ.

    Each voxel that must be won is a constraint with a multiplier and a penalty of its own. The descent goes along their
    sum and takes the largest move's proximal operator after each step. Multipliers grow where a voxel stands and fall
    where it is won, so the effort goes to what is hard; a penalty grows where ten steps brought nothing. While a case
    stands as fallen, the norm weighs more.

    An adversary longer than epsilon is put into the ball. Its length, where the case falls by it, is in
    ``found_distance``. Does not depend on the scale of the logits.

    Args:
        num_iterations: a forward and a backward pass each.
        step_size: of the first steps, in units of the box's width; the last are a tenth of it.
        left: the share of each class's voxels that may stand; None takes what the criterion allows (`DiceBelow`), or a
            hundredth.
        check_interval: after how many iterations penalties are looked at.
        progress: a constraint that is above this share of what it was gets a higher penalty.
        penalty_growth: how much higher.
        smoothing: share of the old multiplier in the new one.

    Raises:
        ValueError: when called with another norm than Linf.

    Source: Rony, Pesquet and Ben Ayed 2023 (ALMA-prox), with the penalty function of Birgin, Castillo and Martinez
    2005 (P2). Deviations: volumes, and a box per case and channel; constraints are those of the foreground's voxels, in
    units of the mean gap, and their mean counts (`VoxelConstraints`), for of a volume in which an organ is a hundredth,
    99 % are lost by nothing; success is the criterion; the proximal operator is solved exactly; a last bisection.
    """

    def __init__(
        self,
        num_iterations: int = 200,
        step_size: float = 0.003,
        left: float | None = None,
        check_interval: int = 10,
        progress: float = 0.95,
        penalty_growth: float = 2.0,
        smoothing: float = 0.8,
    ) -> None:
        super().__init__(num_iterations, step_size, left, smoothing)
        if check_interval < 1 or not 0 < progress <= 1 or penalty_growth <= 1:
            raise ValueError("check_interval must be at least 1, progress lie in (0, 1], penalty_growth be above 1")
        self.check_interval, self.progress, self.penalty_growth = check_interval, progress, penalty_growth

    def descend(self, descent: ProximalDescent, constraints: VoxelConstraints, values: Tensor) -> None:
        """Steps along the sum of the penalised constraints, whose multipliers follow what stands."""
        checked = values
        multiplier = torch.ones_like(checked)
        penalty = torch.full_like(checked, FIRST_PENALTY)
        pressure = torch.ones(len(checked), dtype=torch.float64, device=checked.device)
        for iteration in range(self.num_iterations):
            gradient, logits, fallen = descent.look(_Lagrangian(constraints, multiplier, penalty))
            pressure = pressure * torch.where(fallen, 1 - PRESSURE_STEP, 1 + PRESSURE_STEP)
            pressure = pressure.clamp(LOWEST_PRESSURE, 1)
            values = constraints.values(logits)
            if iteration % self.check_interval == self.check_interval - 1:
                stuck = (values > 0) & (values > self.progress * checked)
                penalty = torch.where(stuck, self.penalty_growth * penalty, penalty).clamp(max=HIGHEST_PENALTY)
                checked = values
            slope = _slope(values, multiplier, penalty).clamp(LOWEST_MULTIPLIER, HIGHEST_MULTIPLIER)
            multiplier = torch.lerp(slope, multiplier, self.smoothing)
            length = self.step_size * LAST_LENGTH ** (iteration / self.num_iterations)
            descent.step(gradient, length, 1 / pressure)


class _Lagrangian:
    """The mean of the penalised constraints, over the voxels that must be won."""

    def __init__(self, constraints: VoxelConstraints, multiplier: Tensor, penalty: Tensor) -> None:
        self.constraints, self.multiplier, self.penalty = constraints, multiplier, penalty

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        values = self.constraints.values(logits)
        shares = self.constraints.shares(values.detach())
        standing, won = values.clamp(min=0), values.clamp(max=0)
        rising = self.multiplier * (standing + self.penalty * standing**2) + self.penalty**2 * standing**3 / 6
        falling = self.multiplier * won / (1 - self.penalty * won)
        return (shares * (rising + falling)).flatten(1).sum(1)


def _slope(values: Tensor, multiplier: Tensor, penalty: Tensor) -> Tensor:
    """The derivative of the penalised constraint, which is its next multiplier."""
    rising = multiplier + 2 * multiplier * penalty * values + penalty**2 * values**2 / 2
    return torch.where(values >= 0, rising, multiplier / (1 - penalty * values.clamp(max=0)) ** 2)
