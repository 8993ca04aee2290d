"""Digests by which a rerun knows whether what is stored still is what it would make."""

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rogseg.foreign import open_regular
from rogseg.preprocessing.itk_file import files_of
from rogseg.preprocessing.orientation import SAME_AXES, axes_between, orientation_of
from rogseg.preprocessing.raw_reading import open_raw
from rogseg.preprocessing.rescaling import WHOLE_RANGE, Rescaling
from rogseg.storage import Axes, Fold, StoredTask, read_raw_task, read_task_record
from rogseg.task_plan import TaskPlan

__all__ = [
    "digest_case",
    "digest_files",
    "measurement_digest",
    "refuse_changed_sources",
    "refuse_other_plan",
    "seen_under_two_names",
    "storage_digest",
    "touched_since_stored",
]

VERSION = 2  # raise it when the same raw files and plan give another result


def digest_case(images: Sequence[Path], label: Path | None) -> str:
    """A digest of the content of a case's files.

    Of some cases it tells that they are read otherwise than by an earlier version, so that nothing made then is kept.

    Raises:
        ValueError: a file is missing, or is none.
    """
    files = digest_files([*images, *([] if label is None else [label])])
    return hashlib.sha256(f"{files} by channel".encode()).hexdigest() if _was_misread(images) else files


def _was_misread(images: Sequence[Path]) -> bool:
    """Whether a channel had a file with a fourth axis, which was written over the first channel."""
    return len(images) > 1 and any(len(open_raw(path).shape) == 4 for path in images)


def digest_files(paths: Sequence[Path]) -> str:
    """A digest of the content of files, in order, with what their headers name; a folder stands for the files in it.

    Raises:
        ValueError: a file is missing, or is none.
    """
    total = hashlib.sha256()
    for path in paths:
        for part in _parts(path):
            with open_regular(part, "complete the raw data or take the case out of dataset.json") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _parts(path: Path) -> list[Path]:
    return sorted(part for part in path.iterdir() if part.name[0] != ".") if path.is_dir() else files_of(path)


def storage_digest(files: str, plan: TaskPlan, axes: Axes) -> str:
    """The digest of a stored case: its files, the parts of the plan that it depends on, and how its axes were moved."""
    channels = [_known(dataclasses.asdict(channel)) for channel in plan.channels]
    made_with = {"channels": channels, "label_values": plan.label_values, "spacing": plan.spacing}
    return _combined(files, made_with, axes)


def measurement_digest(files: str, label_values: Sequence[int], rescalings: Sequence[Rescaling], axes: Axes) -> str:
    """The digest of a case's measurement: its files and how they were read."""
    made_with: dict[str, Any] = {"label_values": list(label_values), "rescaled": [r is not None for r in rescalings]}
    if any(rescaling not in (None, WHOLE_RANGE) for rescaling in rescalings):
        made_with["percentiles"] = list(rescalings)
    return _combined(files, made_with, axes)


def _known(channel: dict[str, Any]) -> dict[str, Any]:
    # What is not given leaves the digest that it had before it could be given.
    return {key: value for key, value in channel.items() if value is not None}


def _combined(files: str, made_with: dict[str, Any], axes: Axes) -> str:
    if axes != SAME_AXES:  # else the digest is that of versions that moved no axes
        made_with = {**made_with, "axes": axes}
    text = json.dumps({"version": VERSION, "files": files, **made_with}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


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
        if before and (raw is None or digest_case(raw.images, raw.label) != before):
            changed.append(case_id)
    if changed:
        raise ValueError(
            f"{stored.directory}: the raw files of {', '.join(sorted(changed)[:5])} in {record.raw} have changed since "
            f"they were stored; run rogseg preprocess {record.raw} --out {stored.directory} again"
        )


def touched_since_stored(stored: StoredTask, case_ids: Collection[str]) -> list[str]:
    """Those of some cases of which a raw file was written, or brought here, since they were stored; none is read.

    With them those that an earlier version may have read wrongly.
    """
    record, touched = read_task_record(stored.directory), []
    if record is None or not (Path(record.raw) / "dataset.json").is_file():
        return []
    for case in read_raw_task(record.raw).training:
        files = [path for path in (*case.images, case.label) if path is not None]
        if case.case_id in case_ids and all(path.exists() for path in files):  # else they made room
            newest = max(max(at.st_mtime_ns, at.st_ctime_ns) for path in files for at in map(Path.stat, _parts(path)))
            made = (stored.case_directory(case.case_id) / "case.json").stat().st_mtime_ns
            if newest >= made or _was_misread(case.images):
                touched.append(case.case_id)
    return touched


def refuse_other_plan(stored: StoredTask, case_ids: Collection[str]) -> None:
    """Hold stored cases against the plan beside them, which a person may have edited since they were made.

    Raises:
        ValueError: a case was made with another plan.
    """
    for case_id in case_ids:
        made, plan = stored.case(case_id).properties, stored.plan
        if not made.raw_digest:
            continue  # of a version that did not record it
        wanted = plan.orientation if made.raw_forms.sform_code or made.raw_forms.qform_code else None
        axes = SAME_AXES if wanted is None else axes_between(orientation_of(np.array(made.raw_affine)), wanted)
        if axes != made.axes or storage_digest(made.raw_digest, plan, axes) != made.source_digest:
            raise ValueError(
                f"{stored.directory}: the case {case_id} was made with another plan than its plan.json, which was "
                f"edited since; run rogseg preprocess RAW --out {stored.directory} again, RAW being its raw task"
            )


def seen_under_two_names(images: Mapping[str, str], folds: Sequence[Fold]) -> list[str]:
    """What to say of each image that a network is trained on under one name and reported on under another.

    Args:
        images: case id -> digest of its image files.
        folds: of the task.
    """
    groups: dict[str, list[str]] = {}
    for case_id, image in images.items():
        groups.setdefault(image, []).append(case_id)
    return [
        f"{', '.join(names[:5])} are one image: in fold {number} a network is trained on it and reported on it, too; "
        "list it once in dataset.json"
        for names in groups.values()
        for number, fold in enumerate(folds)
        if set(names) & set(fold.validation) and set(names) & set(fold.train)
    ]
