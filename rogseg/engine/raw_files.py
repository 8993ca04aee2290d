"""The raw files that stored cases were made from: where they are looked for, and whether they still are those."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rogseg.engine.model.open_system import OpenedSystem
from rogseg.engine.stored_task import is_stored, stored_task_dir
from rogseg.engine.task_meaning import other_names, refuse_other_meaning
from rogseg.preprocessing import digest_case, most_common_orientation, orientations_of
from rogseg.storage import RawCase, RawTask, StoredTask, read_raw_task, read_task_record
from rogseg.systems import CaseSource, StoredCases

__all__ = ["raw_files_of", "raw_task_for", "refuse_other_files", "with_notes"]

_REMEDY = "name with --data the raw data that are meant"


def raw_task_for(opened: OpenedSystem, data: str | Path) -> RawTask:
    """A raw task for a system; other systems bring their own labels, which may be regions, ours have those of the task.

    Raises:
        ValueError: it cannot be read, or its labels or channels mean something else than those of the system.
    """
    raw = read_raw_task(data, plain_labels=opened.config is not None)
    refuse_other_meaning(opened.system, raw)
    return raw


def with_notes(opened: OpenedSystem, raw: RawTask) -> RawTask:
    """The task with what a person should know of its cases beside this system.

    Of each case whose axes point elsewhere than those of most, where the system sees them as they are stored, which
    opens every file; and of all where classes have other names than in the system.
    """
    of_all = other_names(opened.system, raw)
    turned = _notes_on_turned(raw) if opened.system.reads_axes_as_stored else {}

    def noted(case: RawCase) -> RawCase:
        return dataclasses.replace(case, notes=(*case.notes, *turned.get(case.case_id, ()), *of_all))

    training, test = (tuple(map(noted, cases)) for cases in (raw.training, raw.test))
    return dataclasses.replace(raw, training=training, test=test)


def _notes_on_turned(raw: RawTask) -> dict[str, tuple[str, ...]]:
    pointing = orientations_of((*raw.training, *raw.test))
    most = most_common_orientation(pointing.values())
    return {
        case_id: (
            f"its axes point {own}, those of most cases {most}, and the system names no orientation of its inputs, so "
            "the network sees this case turned",
        )
        for case_id, own in pointing.items()
        if own != most
    }


def raw_files_of(
    opened: OpenedSystem, source: CaseSource, case_ids: Sequence[str], *, data: str | Path | None = None
) -> RawTask:
    """The raw task that the cases of a source were made from.

    Args:
        opened: the system.
        source: where its cases come from, as `cases_to_attack` gave it.
        case_ids: of the cases that are needed.
        data: folder of raw cases, where it is given.

    Raises:
        ValueError: it is not there, or holds other files than the cases were made from.
    """
    if data is not None or not isinstance(source, StoredCases):
        assert data is not None, "cases that are not stored come from raw data"
        return raw_task_for(opened, data)
    record = read_task_record(source.stored.directory)
    known = [] if record is None else [Path(record.raw)]
    if opened.config is not None:
        known.append(Path(opened.config.data_root) / source.task)
    found = next((folder for folder in known if (folder / "dataset.json").is_file()), None)
    if found is None:
        raise ValueError(
            f"{source.stored.directory}: its raw files are not in {' or '.join(map(str, known))}, and adversarial "
            "volumes are written as raw files; name their folder with --data"
        )
    raw = raw_task_for(opened, found)
    absent = sorted(set(case_ids) - {case.case_id for case in raw.training})
    if absent:
        raise ValueError(f"{found}: lacks the case {absent[0]!r} of {_told(source.stored)}; {_REMEDY}")
    _refuse_other_content(raw, source.stored, case_ids)
    return raw


def refuse_other_files(
    opened: OpenedSystem, raw: RawTask, case_ids: Sequence[str], task: str | Path | None = None
) -> None:
    """Hold a raw task that nobody named against the stored task of a network, which may come from another folder.

    Args:
        opened: the system; one that is not ours has no stored task.
        raw: the raw task.
        case_ids: of the cases that are about to be used; those that were not stored are not held against anything.
        task: folder of the stored task; None is the config's own, where it is there.

    Raises:
        ValueError: the stored cases were made from other files.
    """
    directory = None if opened.config is None else stored_task_dir(opened.config, task)
    if directory is None or not is_stored(directory):
        return
    stored = StoredTask(directory)
    shared = sorted({case.case_id for case in raw.training} & set(stored.case_ids))
    if not shared:
        raise ValueError(f"{raw.directory}: has none of the cases of {_told(stored)}; {_REMEDY}")
    # Cases without a label are not stored, so another one speaks for their folder.
    _refuse_other_content(raw, stored, sorted(set(case_ids) & set(shared)) or shared[:1])


def _refuse_other_content(raw: RawTask, stored: StoredTask, case_ids: Sequence[str]) -> None:
    by_id = {case.case_id: case for case in raw.training}
    for case_id in case_ids:
        before, case = stored.case(case_id).properties.raw_digest, by_id[case_id]
        now = digest_case(case.images, case.label) if before else ""
        if now != before:
            raise ValueError(f"{raw.directory}: its case {case_id!r} is another one than in {_told(stored)}; {_REMEDY}")


def _told(stored: StoredTask) -> str:
    record = read_task_record(stored.directory)
    return str(stored.directory) if record is None else f"{stored.directory}, which was made from {record.raw}"
