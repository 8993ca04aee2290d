"""Which cases an evaluation takes, and from where: a stored task of ours, or raw cases that the system prepares."""

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path

from rogseg.cases import ReferenceWidth
from rogseg.command_line import nearest
from rogseg.engine.model.open_system import OpenedSystem
from rogseg.engine.raw_files import raw_task_for, refuse_other_files, with_notes
from rogseg.engine.stored_task import all_cases, data_hint, ensure_stored_task, is_stored, stored_task_dir
from rogseg.preprocessing import refuse_changed_sources
from rogseg.storage import (
    Fold,
    RawCase,
    RawTask,
    StoredTask,
    make_folds,
    read_folder_of_images,
)
from rogseg.systems import CaseSource, RawCases, StoredCases

__all__ = [
    "BY_ID",
    "CasesToTest",
    "cases_to_attack",
    "cases_to_test",
    "fold_of",
    "fold_of_cases",
    "own_fold",
    "reference_width",
]

SETS = ("validation", "test", "all")
BY_ID = "by id"


def cases_to_attack(
    opened: OpenedSystem,
    *,
    data: str | Path | None = None,
    task: str | Path | None = None,
    cases: Sequence[str] | None = None,
) -> CaseSource:
    """Labelled cases to attack a system on.

    Args:
        opened: the system.
        data: folder of raw cases in the layout of the MSD or of nnU-Net, prepared by the system itself.
        task: folder of a stored task, for a network of ours; None is the config's own.
        cases: ids; None is the validation part of the fold that the system is of.

    Raises:
        ValueError: the system needs ``data``, or a case is unknown or has no label.
    """
    if data is not None:
        raw = with_notes(opened, raw_task_for(opened, data))
        by_id = {case.case_id: case for case in raw.training}
        wanted = tuple(cases) if cases else _held_out(opened, raw, task)
        _refuse_unknown(wanted, by_id, str(raw.directory))
        return RawCases(opened.system, [by_id[case_id] for case_id in sorted(set(wanted))], raw.name)
    if opened.config is None:
        raise _without_data(opened)
    stored = ensure_stored_task(opened.config, task, needed=lambda part: cases or part.validation, takes_data=True)
    wanted = tuple(cases) if cases else stored.folds(opened.config.fold).validation
    _refuse_unknown(wanted, stored.case_ids, str(stored.directory))
    refuse_changed_sources(stored, set(wanted))
    return StoredCases(stored, sorted(set(wanted)))


@dataclasses.dataclass(frozen=True)
class CasesToTest:
    """Raw cases to segment.

    Args:
        task: name of their task.
        cases: with or without a label.
        rule: how they were chosen, in words.
        fold: that the split is of; None where there is none, and of cases that are named and not all held out.
        left_out: labelled cases that a set which is called all is without, since trainings of the fold use them.
    """

    task: str
    cases: tuple[RawCase, ...]
    rule: str
    fold: int | None
    left_out: tuple[str, ...] = ()


def cases_to_test(
    opened: OpenedSystem,
    which: Sequence[str],
    *,
    data: Path | None = None,
    task: Path | None = None,
    images: Path | None = None,
) -> CasesToTest:
    """Raw cases to segment.

    Args:
        opened: the system.
        which: ``validation`` (of the fold), ``test`` (those without label), ``all`` (both), or case ids.
        data: folder of the raw task; None is the config's own, which must hold what the stored task was made from.
        task: folder of a stored task, whose folds count; None is the config's own, where it is there.
        images: a plain folder of image files to take instead.

    Raises:
        ValueError: a folder or case is absent.
    """
    if images is not None:
        found = read_folder_of_images(images, len(opened.system.channels))
        return CasesToTest(Path(images).name, found, f"every image of {Path(images).absolute()}", None)
    is_named, data = data is not None, data or opened.raw_folder
    if data is None:
        raise _without_data(opened)
    if not is_named and not (data / "dataset.json").is_file():
        raise ValueError(
            f"{data.absolute()}: no raw task here (no dataset.json), and results are measured on its grid: "
            f"{data_hint(data.name)}"
        )
    raw = with_notes(opened, raw_task_for(opened, data))
    by_id = {case.case_id: case for case in (*raw.training, *raw.test)}
    test = tuple(case.case_id for case in raw.test)
    is_set = len(which) == 1 and which[0] in SETS
    if not is_set and (mixed := sorted(set(which) & set(SETS) - set(by_id))):
        raise ValueError(f"--cases: {mixed[0]} stands alone, got {' '.join(which)}; give one set, or ids of cases")
    wanted = test if is_set and which[0] == "test" else tuple(which)
    if is_set and which[0] != "test":
        # Cases that are named need no split, which a folder of a few has none of.
        held_out = _held_out(opened, raw, task)
        wanted = held_out if which[0] == "validation" else (*held_out, *test)
    _refuse_unknown(wanted, by_id, str(raw.directory))
    if not wanted:
        raise ValueError(f"--cases: {raw.directory} has no case in {' '.join(which)!r}")
    if not is_named:
        refuse_other_files(opened, raw, wanted, task)
    chosen = tuple(by_id[case_id] for case_id in sorted(set(wanted)))
    if is_set:
        labelled = {case.case_id for case in raw.training} if which[0] == "all" else set()
        return CasesToTest(raw.name, chosen, which[0], own_fold(opened), tuple(sorted(labelled - set(wanted))))
    return CasesToTest(raw.name, chosen, BY_ID, own_fold(opened) if _are_held_out(opened, raw, task, wanted) else None)


def fold_of_cases(
    opened: OpenedSystem, case_ids: Sequence[str], *, data: str | Path | None = None, task: str | Path | None = None
) -> int | None:
    """The fold of a network of ours, where all of some cases are of its validation part; else None.

    Args:
        opened: the system.
        case_ids: of the cases, which a person may have named.
        data: folder of raw cases, as `cases_to_attack` was given it.
        task: folder of a stored task, as `cases_to_attack` was given it.
    """
    if opened.config is None:
        return None
    if data is not None:
        held_out = _are_held_out(opened, raw_task_for(opened, data), task, case_ids)
    else:
        stored = StoredTask(stored_task_dir(opened.config, task))
        held_out = set(case_ids) <= set(stored.folds(opened.config.fold).validation)
    return opened.config.fold if held_out else None


def reference_width(task_dir: str | Path) -> ReferenceWidth:
    """The width of the plan's intensity window in a stored case [raw units], as a threat's reference box."""
    stored = StoredTask(task_dir)

    def width_of(case_id: str) -> tuple[float, ...]:
        properties = stored.case(case_id).properties
        return tuple(upper - lower for lower, upper in zip(properties.raw_lower, properties.raw_upper, strict=True))

    return width_of


def own_fold(opened: OpenedSystem) -> int:
    """The fold that a system is of; one that is not ours has fold 0 of the raw data."""
    return 0 if opened.config is None else opened.config.fold


def fold_of(raw: RawTask, fold: int) -> Fold:
    """A fold of a raw task, as it would be stored.

    Raises:
        ValueError: there is no such fold.
    """
    folds = make_folds(raw.name, [case.case_id for case in raw.training])
    if not 0 <= fold < len(folds):
        raise ValueError(f"{raw.directory}: no fold {fold}; there are folds 0 to {len(folds) - 1}")
    return folds[fold]


def _held_out(opened: OpenedSystem, raw: RawTask, task: str | Path | None) -> tuple[str, ...]:
    """The validation part of a system's fold in a raw task, which may hold a few cases of the stored one only."""
    fold = own_fold(opened)
    if opened.config is None:
        return fold_of(raw, fold).validation
    here, stored_dir = {case.case_id for case in raw.training}, stored_task_dir(opened.config, task)
    part = StoredTask(stored_dir).folds(fold) if is_stored(stored_dir) else None
    if part is None or not here & set(all_cases(part)):
        return fold_of(raw, fold).validation
    held_out = tuple(case_id for case_id in part.validation if case_id in here)
    if not held_out:
        raise ValueError(f"{raw.directory}: has none of the validation cases of fold {fold} of {stored_dir}")
    return held_out


def _are_held_out(opened: OpenedSystem, raw: RawTask, task: str | Path | None, case_ids: Sequence[str]) -> bool:
    try:
        return set(case_ids) <= set(_held_out(opened, raw, task))
    except ValueError:  # a folder of a few cases may have no split, or nothing of the validation part
        return False


def _without_data(opened: OpenedSystem) -> ValueError:
    return ValueError(
        f"{opened.system.identity.name}: say with --data where its raw cases are, a folder with dataset.json in the "
        "layout of the MSD or of nnU-Net"
    )


def _refuse_unknown(wanted: Sequence[str], known: Collection[str], where: str) -> None:
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ValueError(
            f"--cases: {where} has no case {', '.join(unknown[:5])} ({nearest(unknown[0], known)}); leave --cases out "
            "to take the validation part"
        )
