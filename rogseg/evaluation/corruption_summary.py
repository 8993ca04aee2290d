"""What corruptions leave of a network in a few numbers: by severity, weighted, worst, and relative to a baseline."""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Self

from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import MeanOverCases, mean_over_cases

__all__ = [
    "CorruptionSummary",
    "CorruptionValues",
    "made_by",
    "not_applicable",
    "relative_error",
    "summarise_corruptions",
    "values_in",
]

DECAY = 2 / 3
"""Weight of a severity over that of the one below."""
BOUNDS = (0.0, 1.0)

ByCase = Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class CorruptionValues:
    """A measure whose best value is 1, such as Dice, of each case.

    Args:
        clean: by case, without corruption.
        under: by corruption and severity, by case.
        made: of each of these `made_by`; empty where nothing says.
        data: digest of each case; empty where nothing says.
    """

    clean: ByCase
    under: Mapping[tuple[str, float], ByCase]
    made: Mapping[tuple[str, float], str] = dataclasses.field(default_factory=dict)
    data: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The corruptions, in their order."""
        return tuple(dict.fromkeys(name for name, _ in self.under))

    def severities_of(self, name: str) -> tuple[float, ...]:
        """The severities of a corruption, ascending."""
        return tuple(sorted(severity for other, severity in self.under if other == name))

    @property
    def whole_cases(self) -> tuple[str, ...]:
        """The cases that have a value clean and under everything: a mean over part of it would not compare."""
        return tuple(case for case in self.clean if all(case in by_case for by_case in self.under.values()))

    @property
    def of_whole_cases(self) -> Self:
        """The same of `whole_cases` alone.

        A class that the target lacks has no Dice until a corruption lets it be found, which then is 0: over all cases
        one corruption would be measured on others than the next.
        """
        cases = self.whole_cases
        clean, *under = ({case: by_case[case] for case in cases} for by_case in (self.clean, *self.under.values()))
        return dataclasses.replace(self, clean=clean, under=dict(zip(self.under, under, strict=True)))

    def weighted(self, name: str, case_id: str) -> float:
        """Mean of a case over the severities of a corruption, weighted by (2/3)^severity."""
        severities = self.severities_of(name)
        weights = [DECAY**severity for severity in severities]
        values = [self.under[name, severity][case_id] for severity in severities]
        return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)


@dataclasses.dataclass(frozen=True)
class CorruptionSummary:
    """One network under corruptions, over the cases that have every value.

    Args:
        clean: without corruption.
        levels: by severity, the mean over the corruptions that have all severities: over others it would tell of the
            corruptions, not of the severity. Without a value where no corruption has all.
        weighted: mean over the corruptions of their means weighted by (2/3)^severity.
        worst: of each case the lowest value under any corruption at any severity.
        worst_condition: the corruption and severity with the lowest mean, and that mean; None without a case.
        severities: by corruption, those that it was evaluated at; what the means are over.
        num_at_all: of the corruptions, those that have all severities.
    """

    clean: MeanOverCases
    levels: Mapping[float, MeanOverCases]
    weighted: MeanOverCases
    worst: MeanOverCases
    worst_condition: tuple[str, float, float] | None
    severities: Mapping[str, tuple[float, ...]]
    num_at_all: int

    @property
    def num_corruptions(self) -> int:
        """That the means are over."""
        return len(self.severities)

    @property
    def has_all_severities(self) -> bool:
        """Whether every corruption has all, so that all means are over the same."""
        return self.num_at_all == self.num_corruptions


def summarise_corruptions(values: CorruptionValues) -> CorruptionSummary:
    """The numbers of one network.

    Source: ROOD-MRI (Boone et al. 2023) for the weights (2/3)^severity; here they sum to one over the severities.
    """
    cases, under, names = values.whole_cases, values.under, values.names
    severities = tuple(sorted({severity for _, severity in under}))
    at_all = [name for name in names if values.severities_of(name) == severities]
    levels = {
        severity: mean_over_cases(
            [math.fsum(under[name, severity][case] for name in at_all) / len(at_all) for case in cases if at_all],
            BOUNDS,
        )
        for severity in severities
    }
    weighted = [math.fsum(values.weighted(name, case) for name in names) / len(names) for case in cases if names]
    means = {key: math.fsum(by_case[case] for case in cases) / len(cases) for key, by_case in under.items() if cases}
    worst = min(means, key=lambda key: means[key], default=None)
    return CorruptionSummary(
        clean=mean_over_cases([values.clean[case] for case in cases], BOUNDS),
        levels=levels,
        weighted=mean_over_cases(weighted, BOUNDS),
        worst=mean_over_cases([min(by_case[case] for by_case in under.values()) for case in cases if under], BOUNDS),
        worst_condition=None if worst is None else (*worst, means[worst]),
        severities={name: values.severities_of(name) for name in names},
        num_at_all=len(at_all),
    )


def relative_error(values: CorruptionValues, baseline: CorruptionValues) -> float | None:
    """Mean over the corruptions of the weighted error (1 less the measure) as a share of the baseline's.

    Below 1 the network errs less than the baseline. Over the corruptions, severities and cases that both have: the same
    files, by the same parameter and draws.

    Returns:
        None where they share nothing, or the baseline makes no error under one of the corruptions.

    Source: the mean corruption error of Hendrycks and Dietterich 2019, with weights over the severities.
    """
    shared = [key for key in values.under if key in baseline.under and values.made.get(key) == baseline.made.get(key)]
    ours, theirs = (CorruptionValues(one.clean, {key: one.under[key] for key in shared}) for one in (values, baseline))
    also = {case for case in theirs.whole_cases if values.data.get(case) == baseline.data.get(case)}
    cases = [case for case in ours.whole_cases if case in also]
    ratios = []
    for name in ours.names:
        error, reference = (math.fsum(1 - one.weighted(name, case) for case in cases) for one in (ours, theirs))
        if reference <= 0:  # left out of the mean, it would hide whatever this network gets wrong there
            return None
        ratios.append(error / reference)
    return math.fsum(ratios) / len(ratios) if ratios else None


def values_in(folder: RecordFolder) -> CorruptionValues:
    """Mean Dice over the classes, from records."""
    under = {
        (name, severity): {case: dice for case, one in records.items() if (dice := one.mean_dice) is not None}
        for name in sorted(folder.conditions())
        for severity in folder.strengths()
        if (records := folder.under(name, severity))
    }
    clean = {case: dice for case, one in folder.clean().items() if (dice := one.mean_dice) is not None}
    made = {key: made_by(folder.identity, *key) for key in under}
    return CorruptionValues(clean, under, made, folder.identity.data)


def made_by(identity: EvaluationIdentity, name: str, severity: float) -> str:
    """All that a value under a corruption depends on beside the network and the case, as canonical JSON."""
    config = {} if identity.condition is None else identity.condition.config
    parameters = config.get("corruptions", {}).get(name, {}).get("severities", {})
    of_draw = [config.get("modalities"), identity.seed, identity.classes, identity.own_code]
    parts = [parameters.get(f"{severity:g}"), *of_draw]
    return json.dumps(parts)


def not_applicable(identity: EvaluationIdentity) -> Mapping[str, str]:
    """By the name of a corruption, why it does not apply to the images that were evaluated."""
    return {} if identity.condition is None else dict(identity.condition.config.get("not applicable", {}))
