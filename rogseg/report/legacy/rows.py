"""From the records of the legacy runs to rows: Dice and verdict of each case under each combination of faults."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report.legacy.variants import LegacyRun, Variant, legacy_runs, run_of, variants

__all__ = ["LegacyRow", "read_legacy_rows"]


@dataclasses.dataclass(frozen=True)
class LegacyRow:
    """A combination of faults.

    Args:
        variant: which faults are in.
        clean: mean Dice without attack, by case.
        dice: lowest mean Dice over the attacks, by case.
        fell: whether any attack was called a success, by case.
        furthest: largest move of a voxel in units of the box's width, over attacks and cases.
    """

    variant: Variant
    clean: Mapping[str, float]
    dice: Mapping[str, float]
    fell: Mapping[str, bool]
    furthest: float


def read_legacy_rows(directory: Path) -> tuple[LegacyRow, ...]:
    """The rows, over the cases that every run has finished.

    Args:
        directory: with one folder of records per `LegacyRun`.

    Raises:
        ValueError: a folder holds no records, or those of another evaluation than the rest.
    """
    folders = {run: RecordFolder(directory / run.folder) for run in legacy_runs()}
    first = next(iter(folders.values()))
    for folder in folders.values():
        for key in ("system", "data", "protocol", "seed"):
            if getattr(folder.identity, key) != getattr(first.identity, key):
                raise ValueError(
                    f"{folder.directory} and {first.directory} differ in {key}, so they are no one comparison; give "
                    "another --out"
                )
    return tuple(_row(variant, folders) for variant in variants())


def _row(variant: Variant, folders: Mapping[LegacyRun, RecordFolder]) -> LegacyRow:
    first = next(iter(folders.values()))
    assert first.identity.criterion is not None, "every attack has a criterion"
    assert first.identity.criterion.mu is not None, "settled before the first attack"
    (strength,) = first.strengths()
    mu = first.identity.criterion.mu
    clean = {case_id: mean for case_id, one in first.clean().items() if (mean := one.mean_clean) is not None}
    dice: dict[str, float] = {}
    fell: dict[str, bool] = {}
    furthest = 0.0
    for position, member in enumerate(first.conditions()):
        threshold = mu / 2 * (mu**position if "threshold" in variant.faults else 1.0)
        for case_id, record in folders[run_of(variant, member)].under(member, strength).items():
            mean = record.mean_dice
            if mean is not None:
                dice[case_id] = min(mean, dice.get(case_id, mean))
                fell[case_id] = fell.get(case_id, False) or mean < threshold
                furthest = max(furthest, record.distance_fraction or 0.0)
    return LegacyRow(variant, {case_id: clean[case_id] for case_id in dice}, dice, fell, furthest)
