"""What a reader of a table must know beside the numbers: what is missing, absent, leaked or old."""

from collections import Counter
from collections.abc import Sequence

from rogseg.evaluation.case_record import CLEAN, DICE, WORST_CASE
from rogseg.evaluation.epsilon_label import strength_label
from rogseg.evaluation.identity import HELD_OUT, NOT_KNOWN, EvaluationIdentity
from rogseg.evaluation.legacy_identity import NOT_RECORDED
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.summary import ConditionSummary, area_under_curve, summarise_all
from rogseg.evaluation.text_table import counted

__all__ = ["leak_note", "notes_on", "versions_notes"]

FALSE_VOLUME = "false volume"
PLACES = {
    "volume": "Measured on whole volumes in the network's grid, before post-processing, clean and attacked alike; "
    "rogseg test measures on the grid of the files, after it.",
    "patch": "Measured in one window around the target, clean and attacked alike: what is found falsely elsewhere does "
    "not count, so these values are above those of whole volumes.",
}
STILL_AIR = (
    "Tissue alone could be moved: voxels at the lower end of the box in every channel, as air is, stayed as they were."
)
LIMITS = {"max_passes": "passes", "max_minutes": "minutes"}


def notes_on(folder: RecordFolder) -> tuple[str, ...]:
    """All notes that apply to an evaluation, one sentence each."""
    rows, identity = summarise_all(folder), folder.identity
    is_corruption = identity.kind == "corruption"
    if is_corruption:
        # Under dozens of corruptions and severities a note on each would hide the others.
        notes = [note for note in (corruptions_note(rows, identity),) if note]
        corrupted = [row for row in rows[1:] if row.condition != WORST_CASE]
        rows = rows[:1]
    else:
        notes = [incomplete_note(row, identity) for row in rows if row.num_missing]
    if identity.is_legacy:
        notes.append("These records were written by an older version, which did not note all that they depend on.")
    elif note := leak_note(identity):
        notes.append(note)
    notes.append(partial_note(rows[0], identity))
    notes += [stop_note(row, identity) for row in rows]
    notes.append(cascade_note(rows, identity))
    if identity.kind == "attack":
        notes.append(gradient_note(identity))
    if identity.threat is not None and identity.threat.moves_tissue_alone:
        notes.append(STILL_AIR)
    notes += [note for row in rows for note in absence_notes(row, identity)]
    if is_corruption:
        notes += worst_absence_notes(corrupted, identity)
    notes += [area_note(rows, condition, identity) for condition in folder.conditions() if identity.threat is not None]
    if identity.condition is not None:
        notes.append(PLACES.get(identity.protocol, ""))
    return tuple(note for note in notes if note)


def gradient_note(identity: EvaluationIdentity) -> str:
    """That no attack saw a gradient; empty where attacks could."""
    if identity.system.options.get("differentiable", True):
        return ""
    return "No white-box attack was made, since the system has no gradient: one that sees gradients may do more harm."


def leak_note(identity: EvaluationIdentity, system: str = "the system") -> str:
    """What the system had seen of the cases; empty where they are new to it."""
    leak = identity.leak
    if leak == HELD_OUT:
        return ""
    if leak.startswith((NOT_KNOWN, NOT_RECORDED)):
        return f"Whether {system} was trained or selected on these cases is {leak}."
    # "trained on", or with how many of them, which ends the sentence.
    return f"No estimate for new cases: {system} was {leak if leak.endswith('cases') else f'{leak} these'}."


def versions_notes(named: Sequence[tuple[str, EvaluationIdentity]]) -> tuple[str, ...]:
    """That evaluations, each with the name of its system, were made by several versions of rogseg, if they were."""
    systems: dict[str, dict[str, None]] = {}
    for name, identity in named:
        systems.setdefault(str(identity.versions.get("rogseg", NOT_RECORDED)), {})[name] = None
    if len(systems) < 2:
        return ()
    listed = "; ".join(f"{version}: {', '.join(names)}" for version, names in systems.items())
    return (f"Made by several versions of rogseg, which may differ in more than the systems do ({listed}).",)


def incomplete_note(row: ConditionSummary, identity: EvaluationIdentity) -> str:
    """That a row is not over all cases."""
    num_cases = len(identity.data)
    return (
        f"INCOMPLETE: {_under(row, identity)} is over {num_cases - row.num_missing} of {num_cases} cases. Run the "
        "command again, or merge the shards with rogseg report."
    )


def _under(row: ConditionSummary, identity: EvaluationIdentity) -> str:
    """The condition of a row and its strength, in words."""
    return row.condition if row.condition == CLEAN else f"{row.condition} at {strength_label(identity, row.strength)}"


def partial_note(clean: ConditionSummary, identity: EvaluationIdentity) -> str:
    """Which classes have a value in a part of the cases alone, as where the others lack them; empty where none."""
    num_cases = sum(bool(record.measures) for record in clean.records.values())
    parts = []
    for index, name in enumerate(identity.classes):
        measures: dict[int, list[str]] = {}
        for measure in identity.measures:
            count = len(clean.by_case(measure["name"], index))
            if 0 < count < num_cases and measure["name"] != FALSE_VOLUME:
                measures.setdefault(count, []).append(measure["name"])
        parts += [f"{name} {count} ({', '.join(listed)})" for count, listed in measures.items()]
    return f"Means are over the cases that have a value, of {num_cases}: {'; '.join(parts)}." if parts else ""


def stop_note(row: ConditionSummary, identity: EvaluationIdentity) -> str:
    """How many searches a limit on passes or minutes ended, and which members it left out; empty where none."""
    stopped = sum(record.stopped for record in row.records.values())
    if not stopped:
        return ""
    config = {} if identity.condition is None else identity.condition.config
    limits = [counted(config[key], word) for key, word in LIMITS.items() if key in config]
    left_out = Counter(name for record in row.records.values() for name in record.not_run)
    never = ", ".join(f"{name} in {count}" for name, count in left_out.items())
    return (
        f"{_under(row, identity)}: the limit of {' and '.join(limits)} ended the "
        f"search in {stopped} of {len(row.records)} cases; a longer one may find more."
        + (f" Left out altogether: {never}." if never else "")
    )


def cascade_note(rows: tuple[ConditionSummary, ...], identity: EvaluationIdentity) -> str:
    """Which members of a cascade met a part of the cases alone; empty where all met all."""
    met: dict[str, list[int]] = {}
    for row in rows:
        if row.num_spared:
            met.setdefault(row.condition, []).append(len(row.records))
    if not met:
        return ""
    spans = {name: (min(counts), max(counts)) for name, counts in met.items()}
    listed = [f"{name} {low}" if low == high else f"{name} {low} to {high}" for name, (low, high) in spans.items()]
    return (
        f"A cascade gives each member the cases that still stand, of {len(identity.data)} here {', '.join(listed)}: "
        "means of these members do not compare with others, nor over epsilons; those of the worst case do."
    )


def corruptions_note(rows: tuple[ConditionSummary, ...], identity: EvaluationIdentity) -> str:
    """That some of the corruptions are not over all cases; empty where none is."""
    short_of = [row for row in rows if row.num_missing and row.condition != WORST_CASE]
    if not short_of:
        return ""
    fewest = len(identity.data) - max(row.num_missing for row in short_of)
    return (
        f"INCOMPLETE: {len(short_of)} of {len(rows)} conditions lack cases; the fewest have {fewest} of "
        f"{len(identity.data)}. Run the command again, or merge the shards with rogseg report."
    )


def absence_notes(row: ConditionSummary, identity: EvaluationIdentity) -> list[str]:
    """How often a class was predicted that the target lacks, and whether its Dice, of whatever volume, is 0 there.

    Which of the two the records hold is told in `rogseg.metrics.FalseVolume`.
    """
    return [note for index in range(len(identity.classes)) if (note := _absence_note(row, index, identity))]


def worst_absence_notes(rows: Sequence[ConditionSummary], identity: EvaluationIdentity) -> list[str]:
    """The same of each class under the corruption that lets it be found in the most cases that lack it."""
    notes = []
    for index in range(len(identity.classes)):
        worst = max(rows, key=lambda row: len(_found_falsely(row, index)), default=None)
        if worst is not None and (note := _absence_note(worst, index, identity)):
            notes.append(f"Most often {note}")
    return notes


def _found_falsely(row: ConditionSummary, index: int) -> dict[str, float]:
    """What is predicted of a class in the cases that lack it [ml]."""
    return {case_id: volume for case_id, volume in row.by_case(FALSE_VOLUME, index).items() if volume > 0}


def _absence_note(row: ConditionSummary, index: int, identity: EvaluationIdentity) -> str:
    found = _found_falsely(row, index)
    if not found:
        return ""
    dice = [row.records[case_id].dice for case_id in found]
    num_counted = sum(bool(per_class) and per_class[index] is not None for per_class in dice)
    num_absent, least, most = len(row.by_case(FALSE_VOLUME, index)), min(found.values()), max(found.values())
    return (
        f"{_under(row, identity)}: {identity.classes[index]} is absent from {num_absent} targets and predicted in "
        f"{len(found)} of them, from {least:.2g} to {most:.2g} ml; {_counted(num_counted, len(found))}."
    )


def _counted(num_counted: int, num_found: int) -> str:
    if num_counted == 0:
        return "it has no Dice there, so no mean Dice holds this"
    return "its Dice counts as 0 there" + ("" if num_counted == num_found else f" in {num_counted} of these")


def area_note(rows: tuple[ConditionSummary, ...], condition: str, identity: EvaluationIdentity) -> str:
    """Area under mean Dice over epsilon, from the clean Dice on; empty below two epsilons and where cases differ."""
    points = [row for row in rows if row.condition in (CLEAN, condition) and row.by_case(DICE)]
    same = {frozenset(row.dice) for row in points}
    if len(points) < 3 or len(same) > 1 or any(row.num_missing for row in points):
        return ""
    area = area_under_curve([row.strength for row in points], [row.mean_dice for row in points])
    largest = strength_label(identity, points[-1].strength)
    return f"{condition}: area under mean Dice over epsilon up to {largest} {area:.3f}, of at most 1."
