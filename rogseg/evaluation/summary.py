"""From records to numbers: what is left of the cases under each condition, and the worst case over the conditions."""

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

from rogseg.evaluation.case_record import CLEAN, DICE, WORST_CASE, CaseRecord, PerClass, class_mean, sizes
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["ConditionSummary", "area_under_curve", "is_ensemble", "mean", "summarise_all", "worst_case"]


def mean(values: Iterable[float]) -> float:
    """Mean; NaN without a value."""
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan


@dataclasses.dataclass(frozen=True)
class ConditionSummary:
    """One condition at one strength over the cases.

    Args:
        condition: an attack, a corruption, ``clean`` or ``worst case``.
        strength: epsilon or severity; 0 for clean.
        records: by case.
        num_missing: cases of the evaluation that are not done yet.
        lowest_dice: of a worst case, the lowest Dice of each class, which may come from several conditions; by case.
        num_spared: cases that had fallen before, so that this member of a cascade never met them: its means do not
            compare with those over all cases.
    """

    condition: str
    strength: float
    records: Mapping[str, CaseRecord]
    num_missing: int
    lowest_dice: Mapping[str, PerClass] = dataclasses.field(default_factory=dict)
    num_spared: int = 0

    @property
    def share_of_cases(self) -> str:
        """How many cases it is over, and of how many where it is not over all; such as ``3 of 12``."""
        num_cases, others = len(self.records), self.num_missing + self.num_spared
        return f"{num_cases} of {num_cases + others}" if others else str(num_cases)

    def by_case(self, measure: str, index: int | None = None) -> dict[str, float]:
        """The measure of each case that has it: of one foreground class, or the mean over the classes."""
        values = {}
        for case_id, record in self.records.items():
            per_class = record.measures.get(measure, ())
            if index is not None and measure == DICE:
                per_class = self.lowest_dice.get(case_id, per_class)
            value = class_mean(per_class) if index is None else (per_class[index] if per_class else None)
            if value is not None:
                values[case_id] = value
        return values

    def sizes_of(self, measure: str) -> dict[str, float]:
        """How far off zero the measure of each case is: the mean over the classes of its size."""
        means = {case_id: class_mean(sizes(one.measures.get(measure, ()))) for case_id, one in self.records.items()}
        return {case_id: size for case_id, size in means.items() if size is not None}

    @property
    def dice(self) -> dict[str, float]:
        """Mean Dice over the classes, by case."""
        return self.by_case(DICE)

    @property
    def mean_dice(self) -> float:
        """Mean over the cases."""
        return mean(self.dice.values())

    @property
    def standing(self) -> dict[str, bool]:
        """Whether the attack failed, of each case that it could succeed on."""
        return {case_id: not one.success for case_id, one in self.records.items() if one.success is not None}

    @property
    def robust_accuracy(self) -> float:
        """Share of those cases on which the attack failed."""
        return mean(self.standing.values())

    def visibility(self, name: str) -> dict[str, float]:
        """How visible the change of each case is by one measure, where it was recorded."""
        return {case_id: one.visibility[name] for case_id, one in self.records.items() if name in one.visibility}

    def largest_distance(self, kind: str) -> tuple[float, ...]:
        """The largest ``distance_network`` or ``distance_raw`` over the cases, per channel; empty where none is."""
        columns = [distance for record in self.records.values() if (distance := getattr(record, kind))]
        return tuple(max(column) for column in zip(*columns, strict=True))


def summarise_all(folder: RecordFolder) -> tuple[ConditionSummary, ...]:
    """The rows of the table: clean, each condition at each strength, and the worst case at each strength."""
    cases = set(folder.identity.data)
    rows = [ConditionSummary(CLEAN, 0.0, folder.clean(), len(cases - set(folder.clean())))]
    for strength in folder.strengths():
        # Of a cascade a case meets only the members that it needs; its own record says that it is done.
        done = set(folder.under(WORST_CASE, strength))
        for condition in folder.conditions():
            records = folder.under(condition, strength)
            if records:
                missing, spared = cases - done - set(records), done - set(records)
                rows.append(ConditionSummary(condition, strength, records, len(missing), num_spared=len(spared)))
        # A certificate has no adversary who would take the worst of several.
        if is_ensemble(folder) and folder.identity.kind != "certificate":
            rows.append(worst_case(folder, strength))
    return tuple(rows)


def is_ensemble(folder: RecordFolder) -> bool:
    """Whether its conditions are members of one: several, or those of a cascade, which may need its first alone."""
    names = {record.condition for record in folder.records if record.condition != CLEAN}
    return len(names) > 1 or WORST_CASE in names


def worst_case(folder: RecordFolder, strength: float) -> ConditionSummary:
    """Per case the record with the lowest mean Dice over the conditions, and the lowest Dice of each class on its own.

    What a smaller epsilon took of a class a larger one takes, too.

    Success of any attack is success of the worst case. A case that nothing was run on is left out, and one that an
    ensemble is not done with; under a cascade a case counts with the attacks that were run on it, or with its clean
    volume if that had fallen before.
    """
    of_own = folder.under(WORST_CASE, strength)
    by_condition = [of_own, *(folder.under(condition, strength) for condition in folder.conditions())]
    is_attack = folder.identity.kind == "attack"
    weaker = [folder.under(c, s) for s in folder.strengths() if is_attack and s < strength for c in folder.conditions()]
    worst, lowest_dice = {}, {}
    for case_id in folder.identity.data:
        records = [of_case[case_id] for of_case in by_condition if case_id in of_case]
        # One whose ensemble was stopped between its members has not met all that it is to meet.
        if records and (case_id in of_own or not of_own):
            verdicts = [record.success for record in records if record.success is not None]
            lowest = min(records, key=lambda record: math.inf if record.mean_dice is None else record.mean_dice)
            worst[case_id] = dataclasses.replace(lowest, success=any(verdicts) if verdicts else None)
            admissible = [*records, *(of_case[case_id] for of_case in weaker if case_id in of_case)]
            columns = zip(*(record.dice for record in admissible), strict=True)
            lowest_dice[case_id] = tuple(
                min((value for value in column if value is not None), default=None) for column in columns
            )
    done = set(of_own)
    if folder.identity.kind == "corruption":
        done = set.intersection(*(set(of_case) for of_case in by_condition if of_case))  # it has no record of its own
    return ConditionSummary(WORST_CASE, strength, worst, len(set(folder.identity.data) - done), lowest_dice)


def area_under_curve(strengths: Sequence[float], dice: Sequence[float]) -> float:
    """Area under mean Dice over epsilon by the trapezoidal rule, divided by the range of epsilon: 1 is perfect.

    Source: the quantity of figure 3 of Daza et al. 2021, which does not say how its area is normalised.

    Raises:
        ValueError: fewer than two points, or epsilon does not ascend.
    """
    if len(strengths) < 2 or len(strengths) != len(dice):
        raise ValueError(f"an area needs at least two epsilons with a Dice each, got {len(strengths)} and {len(dice)}")
    steps = [right - left for left, right in itertools.pairwise(strengths)]
    if min(steps) <= 0:
        raise ValueError(f"epsilons must ascend, got {list(strengths)}")
    area = sum(step * (a + b) / 2 for step, a, b in zip(steps, dice[:-1], dice[1:], strict=True))
    return area / (strengths[-1] - strengths[0])
