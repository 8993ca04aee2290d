"""Estimates over cases: a mean or a share with its 95% interval and the number of cases."""

import dataclasses
import math
from collections.abc import Sequence

from rogseg.metrics import bootstrap_interval

__all__ = ["FEWEST_CASES", "Estimate", "mean_over_cases", "paired_difference", "share_of_cases"]

FEWEST_CASES = 5
"""Below this an interval would be a guess."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number over cases; None where there is none, bounds None where there are too few cases for an interval."""

    value: float | None
    lower: float | None
    upper: float | None
    cases: int

    @property
    def has_interval(self) -> bool:
        """Whether both bounds are known."""
        return self.lower is not None and self.upper is not None

    def text(self, decimals: int = 3, *, sign: bool = False) -> str:
        """As ``0.844 [0.826, 0.860]``, without the brackets where there is no interval, ``-`` without a case."""
        if self.value is None:
            return "-"
        number = f"{{:{'+' if sign else ''}.{decimals}f}}"
        text = number.format(self.value)
        if self.lower is not None and self.upper is not None:
            text += f" [{number.format(self.lower)}, {number.format(self.upper)}]"
        return text


def mean_over_cases(values: Sequence[float | None]) -> Estimate:
    """Mean of the cases that have a value."""
    present = [value for value in values if value is not None]
    if not present:
        return Estimate(None, None, None, 0)
    mean = math.fsum(present) / len(present)
    if len(present) < FEWEST_CASES or max(present) == min(present):
        return Estimate(mean, None, None, len(present))
    return Estimate(mean, *bootstrap_interval(present), len(present))


def share_of_cases(flags: Sequence[bool | None]) -> Estimate:
    """Share of the cases whose flag is true; None is no case. Wilson's interval."""
    present = [flag for flag in flags if flag is not None]
    if not present:
        return Estimate(None, None, None, 0)
    count, share, z = len(present), sum(present) / len(present), 1.959963984540054
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), count)


def paired_difference(first: Sequence[float | None], second: Sequence[float | None]) -> Estimate:
    """Mean of second minus first over the cases that have both, in the same order of cases."""
    pairs = zip(first, second, strict=True)
    return mean_over_cases([None if a is None or b is None else b - a for a, b in pairs])
