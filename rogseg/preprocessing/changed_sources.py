"""Whether what is stored still is what the raw files say."""

from collections.abc import Collection
from pathlib import Path

from rogseg.preprocessing.source_digest import digest_files
from rogseg.storage import StoredTask, read_raw_task, read_task_record

__all__ = ["refuse_changed_sources"]


def refuse_changed_sources(stored: StoredTask, case_ids: Collection[str]) -> None:
    """Hold stored cases against the raw files that they were made from, as far as these are still there.

    Args:
        stored: the task; only tasks that know their raw folder can be held against it.
        case_ids: of the cases that are about to be used.

    Raises:
        ValueError: a raw image or label has changed since, or the case has gone from the raw task.
    """
    record = read_task_record(stored.directory)
    if record is None or not (Path(record.raw) / "dataset.json").is_file():
        return
    raw_task = read_raw_task(record.raw)
    by_id = {case.case_id: case for case in (*raw_task.training, *raw_task.test)}
    changed = []
    for case_id in case_ids:
        before = stored.case(case_id).properties.raw_digest
        raw = by_id.get(case_id)
        if before and (
            raw is None or digest_files([*raw.images, *([] if raw.label is None else [raw.label])]) != before
        ):
            changed.append(case_id)
    if changed:
        raise ValueError(
            f"{stored.directory}: the raw files of {', '.join(sorted(changed)[:5])} in {record.raw} have changed since "
            f"they were stored; run rogseg preprocess {record.raw} --out {stored.directory} again"
        )
