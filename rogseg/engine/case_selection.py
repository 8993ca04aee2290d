"""Which cases of a set an evaluation takes: a seeded few spread over the set, and a shard of those."""

import random
from collections.abc import Sequence

from rogseg.cases import worded_cases
from rogseg.evaluation.identity import CaseSelection

__all__ = ["ALL_CASES", "parse_shard", "selection_of", "shard_of", "spread"]

ALL_CASES = CaseSelection("all", None)


def spread(case_ids: Sequence[str], max_cases: int | None, seed: int) -> tuple[str, ...]:
    """At most ``max_cases`` cases: one drawn from each of as many equal stretches of the sorted set.

    Raises:
        ValueError: ``max_cases`` is under 1, or the seed under 0.
    """
    if seed < 0:  # Python's generator would draw what it draws for the same number above 0
        raise ValueError(f"--case-seed is {seed}, it must be at least 0")
    ordered = sorted(case_ids)
    if max_cases is None or max_cases >= len(ordered):
        return tuple(ordered)
    if max_cases < 1:
        raise ValueError(f"--max-cases is {max_cases}, it must be at least 1")
    draw = random.Random(seed)
    bounds = [round(i * len(ordered) / max_cases) for i in range(max_cases + 1)]
    return tuple(ordered[draw.randrange(bounds[i], bounds[i + 1])] for i in range(max_cases))


def selection_of(max_cases: int | None, seed: int, rule: str | None = None) -> CaseSelection:
    """How `spread` chose, in words: of all cases, or of those that a rule gave."""
    if max_cases is None:
        return ALL_CASES if rule is None else CaseSelection(rule, None)
    few = f"at most {worded_cases(max_cases)}, spread over the set"
    return CaseSelection(few if rule is None else f"{rule}, {few}", seed)


def parse_shard(text: str) -> tuple[int, int]:
    """Read ``2/8`` as (2, 8).

    Raises:
        ValueError: it is not K/N with 1 <= K <= N.
    """
    index, _, count = text.partition("/")
    is_numbers = text.isascii() and index.isdecimal() and count.isdecimal()
    if not (is_numbers and 1 <= int(index) <= int(count)):
        raise ValueError(f"--shard is {text!r}, it must be K/N with 1 <= K <= N, for instance 2/8")
    return int(index), int(count)


def shard_of(case_ids: Sequence[str], index: int, count: int) -> tuple[str, ...]:
    """Every ``count``-th case, from the ``index``-th on; ``index`` counts from 1."""
    return tuple(case_ids[index - 1 :: count])
