"""The smallest move of a volume onto a hyperplane without leaving its box."""

import torch
from torch import Tensor

from rogseg.attacks.threats import L2Threat, LinfThreat, ThreatModel

__all__ = ["project_onto_hyperplane", "projection_speed"]


def project_onto_hyperplane(residual: Tensor, normal: Tensor, lower: Tensor, upper: Tensor, speed: Tensor) -> Tensor:
    """Smallest move d with normal . d = -residual and lower <= d <= upper.

    What "smallest" means is set by ``speed``: an element that pays r moves by ``r * speed``, until its room is used
    up. With ``speed`` the unit of each channel, the largest ``|d| / unit`` is minimal (Linf); with
    ``speed = |normal| * unit^2`` the norm of ``d / unit`` is (L2). Where the box does not meet the hyperplane, d goes
    as far towards it as the box allows.

    Args:
        residual: (B,) value of the linear function at the point, <0 and >0 both allowed.
        normal: (B, C, D, H, W) its gradient.
        lower: broadcastable to ``normal``, the room downwards, <= 0.
        upper: broadcastable to ``normal``, the room upwards, >= 0.
        speed: broadcastable to ``normal``, >= 0.

    Returns:
        (B, C, D, H, W), the type of ``normal``.

    Source: Croce and Hein 2020 (FAB), projection onto hyperplane and box. The reference sorts the elements by their
        room; here the price r comes from Newton's method on a concave, increasing, piecewise linear function, which
        started at 0 never overshoots and ends on the exact piece after a few passes: no sort, no index arrays of a
        volume's size. Sums are in float64, because a volume has millions of elements.
    """
    direction = -torch.sign(normal) * torch.sign(residual).view(-1, *[1] * (normal.ndim - 1)).to(normal.dtype)
    room = torch.where(direction > 0, upper, -lower)
    weight = normal.abs()
    target = residual.abs().double()
    price = torch.zeros_like(target)
    num_free = torch.full_like(target, -1)
    while True:
        steps = (price.view(-1, *[1] * (normal.ndim - 1)) * speed).to(normal.dtype)
        free = steps < room
        gained = _row_sum(torch.where(free, torch.zeros_like(room), weight * room))
        slope = _row_sum(torch.where(free, weight * speed, torch.zeros_like(room)))
        left = (target - gained).clamp(min=0)
        # Nothing left to move and still not there: the hyperplane does not meet the box.
        unreachable = torch.where(left > 0, torch.finfo(torch.float32).max, price)
        price = torch.where(slope > 0, left / slope.where(slope > 0, 1), unreachable).maximum(price)
        now_free = _row_sum(free)
        if torch.equal(now_free, num_free):
            break
        num_free = now_free
    steps = (price.view(-1, *[1] * (normal.ndim - 1)) * speed).to(normal.dtype)
    return direction * torch.minimum(steps, room)


def _row_sum(values: Tensor) -> Tensor:
    return values.flatten(1).sum(1, dtype=torch.float64)


def projection_speed(threat: ThreatModel, normal: Tensor) -> Tensor:
    """The speed of `project_onto_hyperplane` for the norm in which a threat model measures perturbations.

    Raises:
        ValueError: no speed is known for this norm.
    """
    width = threat.box.width.to(normal)
    if isinstance(threat, LinfThreat):
        return width
    if isinstance(threat, L2Threat):
        return normal.abs() * width**2
    raise ValueError(f"FAB knows the projection for LinfThreat and L2Threat, not for {type(threat).__name__}")
