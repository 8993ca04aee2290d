"""FAB-T: the nearest volume on which the mean difference of two logits changes its sign."""

import torch
from torch import Tensor

from rogseg.attacks.base import Attack
from rogseg.attacks.counted_model import CountedModel, value_and_gradient
from rogseg.attacks.fab.boundary_search import BoundarySearch, Nearest
from rogseg.attacks.objectives import CrossEntropy
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.attacks.threats import ThreatModel, per_case
from rogseg.registry import ATTACKS

__all__ = ["FAB", "keep_admissible"]

MAX_TARGETS = 9  # of the reference AutoAttack


@ATTACKS.register_module()
class FAB(Attack):
    """Targeted FAB: a minimal-norm attack, which searches without the ball.

    The surface is the difference between the logit of a voxel's rival class and that of its true class, averaged over
    voxels. The rival of a voxel is its class of a given rank on the clean volume; where that is the true class (the
    voxel is already wrong) the difference is 0 and the voxel plays no part. What ends the search of a case is the
    criterion, not the sign of the mean. An adversary longer than epsilon is a failure and the clean volume is returned;
    its length is in ``found_distance``.

    Args:
        num_iterations: per rank.
        target_ranks: ranks of the rivals, 2 the second highest class; None takes every rank from 2 to K, at most
            nine, as the reference does. Ranks beyond K are an error.
        alpha_max: highest weight of the clean volume's projection.
        eta: overshoot.
        beta: share of the perturbation kept after a success.
        num_final_steps: bisections at the end, see `BoundarySearch`.

    Source: Croce and Hein 2020 (FAB) and 2020 (AutoAttack: targeted FAB); averaged over voxels as in Daza et
        al. 2021.
    """

    def __init__(
        self,
        num_iterations: int = 20,
        target_ranks: tuple[int, ...] | None = None,
        alpha_max: float = 0.1,
        eta: float = 1.05,
        beta: float = 0.9,
        num_final_steps: int = 0,
    ) -> None:
        super().__init__(CrossEntropy())
        if target_ranks is not None and (len(target_ranks) == 0 or min(target_ranks) < 2):
            raise ValueError(
                f"target_ranks is {target_ranks}: give ranks from 2 (the second highest class) on, or None"
            )
        self.target_ranks = target_ranks
        self.search = BoundarySearch(num_iterations, alpha_max, eta, beta, num_final_steps)

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """One search per rank; the shortest adversary counts."""
        inputs = problem.inputs
        with torch.no_grad():
            logits = problem.model(inputs)
            ranking = logits.argsort(dim=1, descending=True, stable=True)
            fallen = problem.criterion(logits, problem.targets)
        num_classes = logits.shape[1]
        ranks = self.target_ranks or tuple(range(2, min(num_classes, MAX_TARGETS + 1) + 1))
        if max(ranks) > num_classes:
            raise ValueError(f"target_ranks {ranks} go beyond the {num_classes} classes of the model")
        # A case that has fallen on its clean volume needs no perturbation at all.
        distance = torch.zeros(len(inputs), dtype=torch.float64, device=inputs.device).where(fallen, torch.inf)
        nearest = Nearest(inputs, distance)
        if fallen.all():
            return Perturbation(inputs, found_distance=distance)
        for rank in ranks:
            surface = _MeanLogitDifference(ranking[:, rank - 1 : rank])
            found = self.search.run(problem, surface)
            nearest = nearest.merge(found.adversarial, found.distance)
        return Perturbation(keep_admissible(nearest, inputs, problem.threat), found_distance=nearest.distance)


class _MeanLogitDifference:
    """Logit of the rival minus logit of the true class, averaged over the voxels of a case."""

    def __init__(self, rivals: Tensor) -> None:
        self.rivals = rivals

    def __call__(self, model: CountedModel, volume: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient, _ = value_and_gradient(model, self._difference, volume, targets)
        return value, gradient

    def _difference(self, logits: Tensor, targets: Tensor) -> Tensor:
        difference = logits.gather(1, self.rivals) - logits.gather(1, targets[:, None])
        return difference.flatten(1).mean(1)


def keep_admissible(nearest: Nearest, inputs: Tensor, threat: ThreatModel) -> Tensor:
    """The adversary where it lies in ball and box, the clean volume elsewhere."""
    inside = threat.contains(inputs, nearest.adversarial)
    return torch.where(per_case(inside), nearest.adversarial, inputs)
