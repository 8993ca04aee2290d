"""PDPGD: the smallest largest move against the voxels that stand, as a game of primal and dual steps."""

import torch
from torch import Tensor

from rogseg.attacks.proximal.descent import ProximalAttack, ProximalDescent
from rogseg.attacks.proximal.voxel_constraints import VoxelConstraints
from rogseg.attacks.threats import per_case
from rogseg.registry import ATTACKS

__all__ = ["PDPGD"]

OVERSHOOT = 0.05  # of the mean gap: a voxel is pushed a little further than it must be
LAST_LENGTH, LAST_DUAL = 0.1, 0.1  # of the first primal and the first dual step


@ATTACKS.register_module()
class PDPGD(ProximalAttack):
    """A minimal-norm attack: the volume moves along what stands, weights move to what stands.

    The primal step goes down the weighted sum of the voxels' hinges and takes the largest move's proximal operator.
    The dual step multiplies the weight of each voxel that stands and divides that of each that is won; together with
    the weight of the norm they sum to one, so once all is won the norm rules. Primal steps see a running mean of the
    weights.

    An adversary longer than epsilon is put into the ball. Its length, where the case falls by it, is in
    ``found_distance``. Does not depend on the scale of the logits.

    Args:
        num_iterations: a forward and a backward pass each.
        step_size: of the first primal steps, in units of the box's width; the last are a tenth of it.
        dual_step: of the first dual steps, in the logarithm of a weight; the last are a tenth of it.
        norm_share: weight of the norm at the start.
        smoothing: share of the old mean of the weights in the new one.
        left: the share of each class's voxels that may stand; None takes what the criterion allows (`DiceBelow`), or a
            hundredth.

    Raises:
        ValueError: when called with another norm than Linf.

    Source: Matyasko and Chau 2021 (PDPGD), with a weight per voxel as Rony, Pesquet and Ben Ayed 2023 compare it.
    Deviations: volumes, and a box per case and channel; constraints are those of the foreground's voxels, in units of
    the mean gap (`VoxelConstraints`); success is the criterion; the proximal operator is solved exactly; a last
    bisection.
    """

    def __init__(
        self,
        num_iterations: int = 200,
        step_size: float = 0.01,
        dual_step: float = 0.1,
        norm_share: float = 0.1,
        smoothing: float = 0.9,
        left: float | None = None,
    ) -> None:
        super().__init__(num_iterations, step_size, left, smoothing)
        if dual_step <= 0 or not 0 < norm_share < 1:
            raise ValueError("dual_step must be above 0 and norm_share lie in (0, 1)")
        self.dual_step, self.norm_share = dual_step, norm_share

    def descend(self, descent: ProximalDescent, constraints: VoxelConstraints, values: Tensor) -> None:
        """A primal step down the weighted hinges and a dual step of the weights, in turn."""
        logs = torch.zeros_like(values)
        weights, of_norm = self._normalised(logs, constraints.shares(values))
        for iteration in range(self.num_iterations):
            gradient, logits, _ = descent.look(_WeightedHinges(constraints, weights))
            values = constraints.values(logits)
            done = iteration / self.num_iterations
            descent.step(gradient, self.step_size * LAST_LENGTH**done, of_norm)
            shares = constraints.shares(values)
            ascent = torch.where(values > -OVERSHOOT, 1.0, -1.0)
            # What may stand and does is nobody's fault: its weight stays as it is.
            logs = logs + self.dual_step * LAST_DUAL**done * ascent * (shares > 0)
            new_weights, new_of_norm = self._normalised(logs, shares)
            weights = torch.lerp(new_weights, weights, self.smoothing)
            of_norm = torch.lerp(new_of_norm, of_norm, self.smoothing)

    def _normalised(self, logs: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
        """The weights of the voxels (B, D, H, W) and of the norm (B,), which sum to 1 for each case."""
        raw = (1 - self.norm_share) * shares * logs.clamp(-30, 30).exp()
        total = self.norm_share + raw.flatten(1).sum(1)
        return raw / per_case(total)[:, 0], (self.norm_share / total).double()


class _WeightedHinges:
    """The weighted sum of how far the voxels that stand are from being won."""

    def __init__(self, constraints: VoxelConstraints, weights: Tensor) -> None:
        self.constraints, self.weights = constraints, weights

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        hinges = (self.constraints.values(logits) + OVERSHOOT).clamp(min=0)
        return (self.weights * hinges).flatten(1).sum(1)
