"""Proved bounds with fewer digits, and still true: lower ones and radii are rounded down, upper ones up."""

import math

__all__ = ["radius_text", "rounded_down", "rounded_up", "significant_down", "significant_up"]

DIGITS = 9  # beyond which a sum of volumes is rounding of floats


def rounded_down(value: float | None, decimals: int) -> float | None:
    """A proved lower bound with so many decimals; None stays None."""
    scale = 10.0**decimals
    return None if value is None else math.floor(round(value * scale, DIGITS)) / scale


def rounded_up(value: float | None, decimals: int) -> float | None:
    """A proved upper bound with so many decimals; None stays None."""
    scale = 10.0**decimals
    return None if value is None else math.ceil(round(value * scale, DIGITS)) / scale


def radius_text(radius: float, digits: int) -> str:
    """A radius within which something is proved, with so many significant digits."""
    return f"{significant_down(radius, digits):.{digits}g}"


def significant_down(value: float, digits: int) -> float:
    """A proved lower bound with so many significant digits."""
    return rounded_down(value, _decimals(value, digits)) or 0.0


def significant_up(value: float, digits: int) -> float:
    """A proved upper bound with so many significant digits."""
    return rounded_up(value, _decimals(value, digits)) or 0.0


def _decimals(value: float, digits: int) -> int:
    return 0 if value == 0 else digits - 1 - math.floor(math.log10(abs(value)))
