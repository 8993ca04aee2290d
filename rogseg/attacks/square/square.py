"""Square attack in three dimensions: random cuboids, kept where the score grows; a black box."""

from typing import Any

import torch

from rogseg.attacks.base import Attack
from rogseg.attacks.objectives import Objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import Perturbation
from rogseg.attacks.square.queries import open_queries
from rogseg.attacks.square.recolouring import recolouring_for
from rogseg.cases import Region
from rogseg.registry import ATTACKS

__all__ = ["Square", "changed_fraction", "cuboid_sides"]

# Iterations out of 10000 after which the fraction is halved once more.
HALVING_POINTS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
REFERENCE_BUDGET = 10000


@ATTACKS.register_module()
class Square(Attack):
    """Random search over cuboids, of plus or minus epsilon in Linf; only ever asks for logits, never for a gradient.

    A proposal is kept in a case if it makes the case fall, or leaves the verdict as it is and raises the objective.
    Each case has its own random stream, so nothing depends on the rest of the batch.

    Args:
        objective: what to raise; the mean margin as in the reference, or HardDice, which goes for the Dice itself.
        num_queries: forward passes, the one for the start included.
        initial_fraction: of the volume that the first cuboids change.
        rescale_schedule: stretch the schedule onto the budget.
        stop_at_success: leave a case alone once it has fallen, as the reference does.

    Raises:
        ValueError: when called with another norm than Linf or L2.

    Source: Andriushchenko et al. 2020 for Linf, in the reference AutoAttack's schedule. Deviations: cuboids
        fill short axes and grow along the others; stripes run along the longest axis; signs that would change nothing
        (half of them, for one channel) are turned round instead of spending a query, as in the authors' own code; the
        start counts as a query; a fallen case goes on by default; in L2 one cuboid gives its norm back or takes
        what is left, where the reference moves it between two squares.
    """

    needs_gradient = False

    def __init__(
        self,
        objective: Objective | dict[str, Any] = {"type": "Margin"},  # noqa: B006 (only read)
        num_queries: int = 5000,
        initial_fraction: float = 0.8,
        rescale_schedule: bool = True,
        stop_at_success: bool = False,
    ) -> None:
        super().__init__(objective)
        if num_queries < 1 or not 0 < initial_fraction <= 1:
            raise ValueError("num_queries must be at least 1 and initial_fraction lie in (0, 1]")
        self.num_queries = num_queries
        self.initial_fraction = initial_fraction
        self.rescale_schedule = rescale_schedule
        self.stop_at_success = stop_at_success

    @torch.no_grad()
    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """Stripes, then one cuboid per query and case."""
        inputs = problem.inputs
        recolouring = recolouring_for(problem.threat)
        seeds = torch.randint(2**62, (len(inputs),), generator=generator, device=generator.device)
        streams = [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]
        colours = [
            recolouring(inputs[case, None], problem.threat.of_cases(torch.tensor([case])), streams[case])
            for case in range(len(inputs))
        ]
        start = torch.cat([one.start() for one in colours]) if problem.start is None else problem.start
        queries = open_queries(problem, start, self.objective)
        best, fallen = queries.first()
        shape = (inputs.shape[2], inputs.shape[3], inputs.shape[4])
        for iteration in range(self.num_queries - 1):
            cases = [case for case in range(len(inputs)) if not (self.stop_at_success and fallen[case])]
            # A regional query is counted, but the model is not asked for the whole volume: the limit is kept here.
            if not cases or problem.model.must_stop():
                break
            fraction = changed_fraction(
                iteration, self.num_queries, self.initial_fraction, rescale=self.rescale_schedule
            )
            sides = cuboid_sides(shape, fraction)
            regions = [_place(shape, sides, streams[case]) for case in cases]
            proposals = [
                colours[case].propose(queries.volume[case], region) for case, region in zip(cases, regions, strict=True)
            ]
            score, falls = queries.propose(cases, regions, [proposal.values for proposal in proposals])
            ties = torch.tensor([proposal.keeps_ties for proposal in proposals], device=score.device)
            better = (score > best[cases]) | (ties & (score == best[cases]))
            accepted = (falls & ~fallen[cases]) | ((falls == fallen[cases]) & better)
            queries.settle(accepted.tolist())
            best[cases] = torch.where(accepted, score, best[cases])
            fallen[cases] |= accepted & falls
        return Perturbation(queries.volume)


def changed_fraction(iteration: int, num_queries: int, initial_fraction: float, *, rescale: bool = True) -> float:
    """Fraction of the volume that the proposal of an iteration changes.

    Args:
        iteration: counted from 0.
        num_queries: the budget onto which the schedule is stretched.
        initial_fraction: the fraction at iteration 0.
        rescale: stretch the schedule, made for 10000 queries, onto the budget; without it a small budget never gets
            past large cuboids.

    Source: Andriushchenko et al. 2020 (Square attack), as in the reference AutoAttack.
    """
    position = int(iteration / num_queries * REFERENCE_BUDGET) if rescale else iteration
    return initial_fraction / 2 ** sum(position > point for point in HALVING_POINTS)


def cuboid_sides(shape: tuple[int, int, int], fraction: float) -> tuple[int, int, int]:
    """Sides of the cuboid that holds a fraction of a volume [voxels].

    As near to a cube as fits: an axis that is too short gives all it has, and the longer ones make up for it.

    Args:
        shape: (D, H, W).
        fraction: of the voxels, in (0, 1].

    Source: the square of side sqrt(p h w) of Andriushchenko et al. 2020 for Linf, brought to three axes. The
        reference caps both sides at the shorter one, which would shrink the proposals of a flat patch.
    """
    wanted = fraction * shape[0] * shape[1] * shape[2]
    sides = [1, 1, 1]
    for num_left, axis in zip((3, 2, 1), sorted(range(3), key=lambda axis: shape[axis]), strict=True):
        sides[axis] = min(shape[axis], max(1, round(wanted ** (1 / num_left))))
        wanted /= sides[axis]
    return sides[0], sides[1], sides[2]


def _place(shape: tuple[int, int, int], sides: tuple[int, int, int], stream: torch.Generator) -> Region:
    corner = [
        int(torch.randint(length - side + 1, (), generator=stream)) for length, side in zip(shape, sides, strict=True)
    ]
    x, y, z = (slice(low, low + side) for low, side in zip(corner, sides, strict=True))
    return x, y, z
