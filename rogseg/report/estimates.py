"""Estimates over cases: a mean or a share with its 95% interval and the number of cases."""

import dataclasses
from collections.abc import Sequence
from typing import Self

from rogseg.evaluation import statistics
from rogseg.evaluation.proved_bounds import rounded_down, rounded_up
from rogseg.evaluation.statistics import FEWEST_CASES, Bounds, MeanOverCases, proportion_interval

__all__ = [
    "FEWEST_CASES",
    "Estimate",
    "mean_over_cases",
    "paired_difference",
    "share_of_cases",
]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A number over cases; None where there is none, bounds None where there are too few cases for an interval."""

    value: float | None
    lower: float | None
    upper: float | None
    cases: int

    @classmethod
    def of(cls, mean: MeanOverCases) -> Self:
        """From a mean and its interval."""
        lower, upper = mean.interval or (None, None)
        return cls(mean.mean, lower, upper, mean.num_cases)

    @property
    def has_interval(self) -> bool:
        """Whether both bounds are known."""
        return self.lower is not None and self.upper is not None

    def at_least(self, decimals: int) -> Self:
        """With fewer digits of what is a proved lower bound."""
        return dataclasses.replace(self, value=rounded_down(self.value, decimals))

    def at_most(self, decimals: int) -> Self:
        """With fewer digits of what is a proved upper bound."""
        return dataclasses.replace(self, value=rounded_up(self.value, decimals))

    def text(self, decimals: int = 3, *, sign: bool = False) -> str:
        """As ``0.844 [0.826, 0.860]``, without the brackets where there is no interval, ``-`` without a case."""
        if self.value is None:
            return "-"
        number = f"{{:{'+' if sign else ''}z.{decimals}f}}"  # z: what rounds to zero has no minus
        text = number.format(self.value)
        if self.lower is not None and self.upper is not None:
            text += f" [{number.format(self.lower)}, {number.format(self.upper)}]"
        return text


def mean_over_cases(values: Sequence[float | None], bounds: Bounds = (None, None)) -> Estimate:
    """Mean of the cases that have a value, within what a mean of the measure cannot leave."""
    return Estimate.of(statistics.mean_over_cases(values, bounds))


def share_of_cases(flags: Sequence[bool | None]) -> Estimate:
    """Share of the cases whose flag is true; None is no case."""
    present = [flag for flag in flags if flag is not None]
    if not present:
        return Estimate(None, None, None, 0)
    lower, upper = proportion_interval(sum(present), len(present)) or (None, None)
    return Estimate(sum(present) / len(present), lower, upper, len(present))


def paired_difference(
    first: Sequence[float | None], second: Sequence[float | None], bounds: Bounds = (None, None)
) -> Estimate:
    """Mean of second minus first over the cases that have both, in the same order of cases.

    Args:
        first: one per case.
        second: one per case.
        bounds: what the values, not their differences, cannot leave.
    """
    pairs = zip(first, second, strict=True)
    differences = [None if a is None or b is None else b - a for a, b in pairs]
    return mean_over_cases(differences, statistics.difference_bounds(bounds))
