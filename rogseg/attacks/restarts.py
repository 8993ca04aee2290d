"""Several runs from different starts, of which each case keeps one whole iterate."""

from collections.abc import Callable

import torch
from torch import Tensor

from rogseg.attacks.best_iterate import BestIterate, Select
from rogseg.attacks.problem import Problem

__all__ = ["run_restarts"]

Run = Callable[[Problem, Tensor, BestIterate], None]


def run_restarts(
    problem: Problem,
    generator: torch.Generator,
    run: Run,
    select: Select,
    num_restarts: int,
    *,
    random_start: bool = True,
    stop_at_success: bool = False,
) -> Tensor:
    """Run from the problem's own start first, then from random points of the ball.

    Args:
        problem: what is attacked.
        generator: of the starts, which are drawn for every case of the batch, attacked again or not.
        run: one run from a start, (B, C, D, H, W), which offers its iterates.
        select: which iterate is kept.
        num_restarts: how many runs.
        random_start: whether the first run without a given start begins at a random point, too.
        stop_at_success: leave a case alone once it has fallen; its verdict is known, its Dice might fall further. Costs
            one forward pass for each run but the last.

    Returns:
        (B, C, D, H, W).
    """
    best = BestIterate(select, problem.targets, problem.criterion)
    standing = torch.ones(len(problem.inputs), dtype=torch.bool, device=problem.inputs.device)
    for restart in range(num_restarts):
        if restart == 0 and (problem.start is not None or not random_start):
            start = problem.inputs if problem.start is None else problem.start
        else:
            start = problem.threat.random_start(problem.inputs, generator)
        if standing.all():
            run(problem, start, best)
        else:
            rows = standing.nonzero().flatten()
            part = BestIterate(select, problem.targets[rows], problem.criterion)
            run(problem.of_cases(rows), start[rows], part)
            best.keep_rows(rows, part)
        if stop_at_success and restart < num_restarts - 1:
            standing = standing & ~problem.fallen(best.best())
            if not standing.any():
                break
    return best.best()
