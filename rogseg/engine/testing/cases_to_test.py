"""Which cases a test takes, and from where."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rogseg.storage import Fold, RawCase, RawTask, StoredTask, make_folds, read_folder_of_images, read_raw_task
from rogseg.task_plan import TaskPlan

__all__ = ["CasesToTest", "find_cases"]


@dataclasses.dataclass(frozen=True)
class CasesToTest:
    """Raw cases to predict, and the stored task that already has some of them on the network's grid."""

    raw: tuple[RawCase, ...]
    stored: StoredTask | None


def find_cases(
    plan: TaskPlan,
    which: Sequence[str],
    *,
    raw_dir: Path,
    stored_dir: Path,
    fold: int,
    images: Path | None = None,
) -> CasesToTest:
    """Find the cases of a test.

    Args:
        plan: of the task.
        which: ``validation`` (of the fold), ``test`` (those without label), ``all`` (both), or case ids.
        raw_dir: folder of the raw task.
        stored_dir: folder of the stored task; need not exist.
        fold: counted from 0.
        images: a plain folder of NIfTI files to take instead.

    Raises:
        ValueError: a folder or case is absent.
    """
    if images is not None:
        return CasesToTest(read_folder_of_images(images, plan.num_channels), None)
    if not (raw_dir / "dataset.json").is_file():
        raise ValueError(
            f"{raw_dir}: no raw task here (no dataset.json), and results are measured on its grid: name its folder "
            "with --raw, or predict a plain folder of images with --images"
        )
    raw = read_raw_task(raw_dir)
    stored = StoredTask(stored_dir) if (stored_dir / "plan.json").is_file() else None
    return CasesToTest(_choose(raw, which, _fold(raw, stored, fold)), stored)


def _fold(raw: RawTask, stored: StoredTask | None, fold: int) -> Fold:
    if stored is not None:
        return stored.folds(fold)
    folds = make_folds(raw.name, [case.case_id for case in raw.training])
    if not 0 <= fold < len(folds):
        raise ValueError(f"{raw.directory}: no fold {fold}; there are folds 0 to {len(folds) - 1}")
    return folds[fold]


def _choose(raw: RawTask, which: Sequence[str], fold: Fold) -> tuple[RawCase, ...]:
    by_id = {case.case_id: case for case in (*raw.training, *raw.test)}
    sets = {
        "validation": fold.validation,
        "test": tuple(case.case_id for case in raw.test),
        "all": (*fold.validation, *(case.case_id for case in raw.test)),
    }
    wanted = sets[which[0]] if len(which) == 1 and which[0] in sets else tuple(which)
    unknown = sorted(set(wanted) - set(by_id))
    if unknown:
        raise ValueError(
            f"--cases: {raw.directory} has no case {', '.join(unknown[:5])}; give validation, test, all, or ids from "
            "its dataset.json"
        )
    if not wanted:
        raise ValueError(f"--cases: {raw.directory} has no case in {' '.join(which)!r}")
    return tuple(by_id[case_id] for case_id in sorted(set(wanted)))
