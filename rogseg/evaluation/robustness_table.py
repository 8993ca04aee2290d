"""The tables at the end of an evaluation: Dice and verdicts, and the other measures with the distances."""

from rogseg.evaluation.case_record import CLEAN, DICE
from rogseg.evaluation.epsilon_label import strength_label
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.notes import notes_on
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.statistics import mean_interval, mean_over_cases, proportion_interval
from rogseg.evaluation.summary import ConditionSummary, mean, summarise_all
from rogseg.evaluation.text_table import NOTHING, TextTable, heading_of, number, short, with_interval

__all__ = ["robustness_tables"]

FIRST_HEADINGS = ("attack", "epsilon", "cases")
# How visible the adversaries are: heading and digits, by the name in the records.
VISIBLE = {"SSIM": ("SSIM", 4), "PSNR": ("PSNR [dB]", 1), "change over noise": ("change over noise", 2)}


def robustness_tables(folder: RecordFolder, title: str) -> tuple[TextTable, ...]:
    """Dice with verdicts, and what else the records hold: other measures, and how far the volumes were moved."""
    rows = summarise_all(folder)
    tables = [_dice_table(rows, folder.identity, title), _other_table(rows, folder.identity)]
    *others, last = [table for table in tables if len(table.headings) > 3]
    return *others, TextTable(last.title, last.headings, last.rows, notes_on(folder))


def _first_cells(row: ConditionSummary, identity: EvaluationIdentity) -> list[str]:
    strength = NOTHING if row.condition == CLEAN else strength_label(identity, row.strength)
    return [row.condition, strength, row.share_of_cases]


def _dice_table(rows: tuple[ConditionSummary, ...], identity: EvaluationIdentity, title: str) -> TextTable:
    cells = []
    for row in rows:
        dice, standing = list(row.dice.values()), list(row.standing.values())
        cells.append(
            [
                *_first_cells(row, identity),
                with_interval(row.mean_dice, mean_interval(dice, (0.0, 1.0))),
                *(number(mean(row.by_case(DICE, index).values())) for index in range(len(identity.classes))),
                with_interval(row.robust_accuracy, proportion_interval(sum(standing), len(standing))),
            ]
        )
    headings = [*FIRST_HEADINGS, "mean Dice [95%]", *identity.classes, "robust accuracy [95%]"]
    if not any(row.standing for row in rows):  # nothing can fall, as under a corruption
        return TextTable(title, headings[:-1], [line[:-1] for line in cells])
    return TextTable(title, headings, cells)


def _other_table(rows: tuple[ConditionSummary, ...], identity: EvaluationIdentity) -> TextTable:
    measures = [
        measure
        for measure in identity.measures
        if measure["name"] != DICE and any(row.by_case(measure["name"]) for row in rows)
    ]
    distances = {"distance_network": "network units", "distance_raw": identity.raw_unit}
    kept = {kind: unit for kind, unit in distances.items() if any(any(row.largest_distance(kind)) for row in rows)}
    seen = [name for name in VISIBLE if identity.threat is not None and any(row.visibility(name) for row in rows)]
    cells = []
    for row in rows:
        values = [mean_over_cases(row.by_case(one["name"]).values(), one["bounds"]) for one in measures]
        shown = [number(mean(row.visibility(name).values()), VISIBLE[name][1]) for name in seen]
        moved = [" ".join(short(distance) for distance in row.largest_distance(kind)) or NOTHING for kind in kept]
        taken = [with_interval(value.mean, value.interval) for value in values]
        cells.append([*_first_cells(row, identity), *taken, *moved, *shown])
    headings = [f"{heading_of(measure)} [95%]" for measure in measures]
    moves = [f"largest move [{unit}]" for unit in kept.values()]
    looks = [VISIBLE[name][0] for name in seen]
    return TextTable("Other measures and distances", [*FIRST_HEADINGS, *headings, *moves, *looks], cells)
