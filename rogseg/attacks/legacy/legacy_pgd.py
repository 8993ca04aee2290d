"""The PGD of the released ROG evaluation, kept to measure what it does to a number."""

import torch
from torch.nn import functional as F

from rogseg.attacks.base import Attack
from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import CrossEntropy
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.registry import ATTACKS

__all__ = ["LegacyPGD"]


@ATTACKS.register_module()
class LegacyPGD(Attack):
    """PGD with steps of epsilon / 3, whose restarts are mixed voxel by voxel.

    The volume handed back takes each voxel from the restart in which this voxel's own loss was highest. It is no
    iterate of any run: a voxel's loss depends on its neighbours, which may come from another run. `PGD` keeps a
    restart whole.

    Args:
        num_iterations: of each restart.
        num_restarts: random starts.
        step_size: in units of epsilon.

    Source: the released evaluation of Daza et al. 2021.
    """

    def __init__(self, num_iterations: int = 5, num_restarts: int = 5, step_size: float = 1 / 3) -> None:
        super().__init__(CrossEntropy())
        if num_iterations < 1 or num_restarts < 1 or step_size <= 0:
            raise ValueError("num_iterations and num_restarts must be at least 1, step_size above 0")
        self.num_iterations = num_iterations
        self.num_restarts = num_restarts
        self.step_size = step_size

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """Every restart in turn, the last iterate of each mixed in where its voxels' losses are highest."""
        inputs, targets, threat = problem.inputs, problem.targets, problem.threat
        mixed = inputs
        highest = torch.full(targets.shape, -torch.inf, dtype=inputs.dtype, device=inputs.device)
        for restart in range(self.num_restarts):
            start = problem.start if restart == 0 else None
            volume = threat.random_start(inputs, generator) if start is None else start
            for _ in range(self.num_iterations):
                _, gradient, _ = value_and_gradient(problem.model, self.objective, volume, targets)
                volume = threat.project(inputs, threat.steepest_ascent(gradient).mul_(self.step_size).add_(volume))
            with torch.no_grad():
                loss = F.cross_entropy(problem.model(volume), targets, reduction="none").to(highest)
            mixed = torch.where((loss >= highest)[:, None], volume, mixed)
            highest = torch.maximum(loss, highest)
        return Perturbation(mixed)
