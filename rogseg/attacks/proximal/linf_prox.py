"""The proximal operator of the largest move, in a diagonal metric and inside a box."""

import torch
from torch import Tensor

from rogseg.attacks.threats import per_case

__all__ = ["prox_of_largest_move"]

NUM_BISECTIONS = 20


def prox_of_largest_move(point: Tensor, metric: Tensor, weight: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
    """The p in [lower, upper] with the smallest weight * max|p| + sum(metric * (p - point)^2) / 2, case by case.

    Whatever the largest move m of p is, each element is the point's, cut to m and to the box. What is left is a convex
    function of m alone, whose slope is weight minus the sum of metric * (|point| - m) over the elements that m cuts.

    Args:
        point: (B, C, D, H, W).
        metric: the same shape, at least 0.
        weight: (B,), above 0.
        lower: the same shape as ``point``, at most 0.
        upper: the same shape, at least 0.

    Returns:
        (B, C, D, H, W), the type of ``point``.

    Source: the operator that the attacks of Matyasko and Chau 2021 and Rony, Pesquet and Ben Ayed 2023 need. Both solve
    it by iteration; here the slope is bisected, and its last, linear piece is solved.
    """
    length = point.abs()
    reach = torch.minimum(length, torch.where(point > 0, upper, -lower))
    weight = weight.double()

    def cut_by(move: Tensor) -> tuple[Tensor, Tensor]:
        """Sum of metric * |point| and of metric, over the elements that a largest move (B,) cuts."""
        cut = metric * (reach > per_case(move).to(reach))
        return (cut * length).flatten(1).sum(1, dtype=torch.float64), cut.flatten(1).sum(1, dtype=torch.float64)

    low = torch.zeros_like(weight)
    high = reach.flatten(1).amax(1).double()
    for _ in range(NUM_BISECTIONS):
        middle = (low + high) / 2
        pull, mass = cut_by(middle)
        falls = pull - middle * mass > weight  # the function still falls here, so the largest move is longer
        low, high = torch.where(falls, middle, low), torch.where(falls, high, middle)
    pull, mass = cut_by(low)
    exact = torch.where(mass > 0, (pull - weight) / mass.clamp(min=1e-300), low)
    move = exact.clamp(min=0).maximum(low).minimum(high)
    return torch.minimum(reach, per_case(move).to(reach)).copysign(point)
