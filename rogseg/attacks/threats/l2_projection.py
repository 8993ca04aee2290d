"""Projection onto the intersection of a Euclidean ball and a box that holds its centre."""

import torch
from torch import Tensor

__all__ = ["project_onto_ball_and_box"]

MAX_STEPS = 100


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
    per_case = (-1, *[1] * (delta.ndim - 1))
    square = delta.square()
    bound_square = torch.where(delta > 0, upper, lower).square_()
    clipped_norm = torch.minimum(square, bound_square).flatten(1).sum(1, dtype=torch.float64)
    inside = clipped_norm <= radius.square()
    norm = square.flatten(1).sum(1, dtype=torch.float64)
    scale = torch.where(inside, 1.0, (radius.square() / norm.clamp_min(1e-300)).clamp_max(1.0))
    for _ in range(MAX_STEPS):
        grown = square * scale.to(delta.dtype).view(per_case)
        free = grown < bound_square
        value = torch.minimum(grown, bound_square).flatten(1).sum(1, dtype=torch.float64)
        slope = torch.where(free, square, 0.0).flatten(1).sum(1, dtype=torch.float64)
        step = torch.where(inside | (slope <= 0), 0.0, (radius.square() - value) / slope.clamp_min(1e-300))
        step = torch.where(step > 1e-9 * scale, step, 0.0)
        if not step.any():
            break
        scale = (scale + step).clamp_max(1.0)
    factor = scale.sqrt().to(delta.dtype).view(per_case)
    return torch.minimum(torch.maximum(delta * factor, lower), upper)
