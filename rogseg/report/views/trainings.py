"""What a recipe gives over its trainings: a mean of means, and how far single trainings are from it."""

import dataclasses
from collections.abc import Mapping, Sequence

from rogseg.report.contents import Contents
from rogseg.report.summaries import estimate_of, worst_rows
from rogseg.report.trainings import trainings_among
from rogseg.report.views.networks import Comparison, attacks_on

__all__ = ["OverTrainings", "differences_over_trainings", "differing_trainings", "values_over_trainings"]

Key = tuple[str, str, str, str, float, int]
"""The fields of an `OverTrainings` that stand before its means."""
Alike = tuple[tuple[str, str], frozenset[str]]
"""What was measured, and the attacks: a mean is over trainings that agree in both."""


@dataclasses.dataclass(frozen=True)
class OverTrainings:
    """A recipe, clean or at one epsilon under its worst attack, or what it has over another one there.

    Args:
        recipe: what stands before the mark in the names of its networks.
        minus: the recipe that it is compared with, training by training; empty where the values are its own.
        norm: of the threat model; empty for clean values.
        label: the epsilon as it is written, or clean.
        strength: epsilon, 0 for clean.
        cases: that every mean is over.
        means: by training the mean over the cases.
    """

    recipe: str
    minus: str
    norm: str
    label: str
    strength: float
    cases: int
    means: Mapping[str, float]

    @property
    def mean(self) -> float:
        """Over the trainings."""
        return sum(self.means.values()) / len(self.means)

    @property
    def least(self) -> float:
        """Of the training that has the lowest."""
        return min(self.means.values())

    @property
    def most(self) -> float:
        """Of the training that has the highest."""
        return max(self.means.values())


def values_over_trainings(contents: Contents) -> tuple[OverTrainings, ...]:
    """Of every recipe with several trainings: clean, and at each epsilon under the same attacks."""
    return tuple(OverTrainings(*key, means) for (key, _), means in _values(contents).items() if len(means) > 1)


def differing_trainings(contents: Contents) -> tuple[str, ...]:
    """A sentence per recipe whose trainings did not all meet the same."""
    found: dict[str, dict[tuple[str, str], int]] = {}
    for (recipe, _, norm, label, *_), _ in _values(contents):
        of_recipe = found.setdefault(recipe, {})
        of_recipe[norm, label] = of_recipe.get((norm, label), 0) + 1
    return tuple(
        f"Trainings of {recipe} did not all meet the same attacks on the same cases at "
        f"{', '.join(label for _, label in several)}: a mean is over those that did, and there is none over one alone."
        for recipe, counts in found.items()
        if (several := [key for key, count in counts.items() if count > 1])
    )


def _values(contents: Contents) -> dict[tuple[Key, Alike], dict[str, float]]:
    found: dict[tuple[Key, Alike], dict[str, float]] = {}
    for name, (recipe, training) in _trainings(contents).items():
        attacked = [row for threat in contents.threats for row in worst_rows(contents, name, threat.norm)]
        for row in (*contents.rows_of(name, ("clean",)), *attacked):
            condition, value = row.condition, estimate_of(row, contents.primary).value
            if value is not None:
                label = condition.label or "clean"
                key = (recipe, "", condition.norm, label, condition.strength, len(row.cases))
                alike = (row.measured, attacks_on(contents, row))
                found.setdefault((key, alike), {}).setdefault(training, value)
    return found


def differences_over_trainings(contents: Contents, compared: Sequence[Comparison]) -> tuple[OverTrainings, ...]:
    """Of every two recipes that have several trainings in common; these are compared on the same cases.

    A mean is over pairs that all met the same attacks.

    Args:
        contents: of the report.
        compared: its networks against each other.
    """
    trainings = _trainings(contents)
    order = list(dict.fromkeys(recipe for recipe, _ in trainings.values()))
    found: dict[tuple[Key, Alike], dict[str, float]] = {}
    for one in compared:
        value = one.difference.value
        if value is None or one.attacks is None or one.first not in trainings or one.second not in trainings:
            continue
        (minus, training), (recipe, _) = trainings[one.first], trainings[one.second]
        if order.index(minus) > order.index(recipe):
            minus, recipe, value = recipe, minus, -value
        key = (recipe, minus, one.norm, one.label, one.strength, one.difference.cases)
        found.setdefault((key, (one.measured, one.attacks)), {})[training] = value
    return tuple(OverTrainings(*key, means) for (key, _), means in found.items() if len(means) > 1)


def _trainings(contents: Contents) -> dict[str, tuple[str, str]]:
    return trainings_among(system.name for system in contents.systems)
