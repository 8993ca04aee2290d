"""The parameter at which a corruption reaches a given similarity, by bisection."""

import dataclasses
from collections.abc import Callable

from rogseg.corruptions.base import Severities

__all__ = ["Calibrated", "find_parameter"]

NUM_STEPS = 14
"""Halvings of the range between neutral and extreme."""


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """A parameter of three digits, and the similarity that it reaches."""

    parameter: float
    reached: float


def find_parameter(
    severities: Severities, similarity: Callable[[float], float], target: float, tolerance: float = 0.002
) -> Calibrated | None:
    """Look between neutral and extreme for the parameter with a similarity.

    Args:
        severities: of the corruption.
        similarity: of corrupted and clean volumes at a parameter; falls from 1 on the way to extreme.
        target: between 0 and 1.
        tolerance: of the similarity, at which the search ends.

    Returns:
        None where even the extreme leaves the volumes more similar than that.

    Raises:
        ValueError: the target is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise ValueError(f"the similarity to reach is {target:g}, it must lie between 0 and 1")
    near, far = severities.neutral, severities.extreme
    found = Calibrated(far, similarity(far))
    if found.reached > target + tolerance:
        return None
    for _ in range(NUM_STEPS):
        if abs(found.reached - target) <= tolerance:
            break
        # Three digits, so that machines that differ in the last bit find the same parameter.
        middle = float(f"{(near + far) / 2:.3g}")
        now = Calibrated(middle, similarity(middle))
        if abs(now.reached - target) < abs(found.reached - target):
            found = now
        near, far = (middle, far) if now.reached > target else (near, middle)
    return found
