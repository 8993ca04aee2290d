"""What a worker does with one case of a task: measure it, store it, or find that all is done already."""

import dataclasses
import errno
import json
from pathlib import Path

from rogseg.foreign import read_json
from rogseg.preprocessing.case_preprocessing import preprocess_volume
from rogseg.preprocessing.measurement import CaseMeasurement, measure_case
from rogseg.preprocessing.orientation import axes_of_file, to_plan_order
from rogseg.preprocessing.raw_reading import open_raw, read_image, read_label
from rogseg.preprocessing.rescaling import Rescaling
from rogseg.preprocessing.source_digest import digest_case, digest_files, measurement_digest, storage_digest
from rogseg.storage import CaseProperties, RawCase, StoredCase, write_bytes_atomic, write_stored_case
from rogseg.task_plan import TaskPlan

__all__ = ["CaseJob", "CaseOutcome", "case_folder", "check_case", "measurement_path", "read_measurement", "run_case"]

# What a file can cause: a complaint of a reader, the system's answer to reading it, or sizes beyond all memory.
_BAD_CASE = (ValueError, OSError, MemoryError)
# What is wrong with the place that is written to, which no other case would find better.
_BAD_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclasses.dataclass(frozen=True)
class CaseJob:
    """A case to be measured (where it is labelled) and, where there is a plan, stored under ``out_dir``.

    ``orientation`` is where the axes of the network's grid point; None takes each file in its own order.
    """

    raw: RawCase
    out_dir: Path
    label_values: tuple[int, ...]
    rescalings: tuple[Rescaling, ...]
    orientation: str | None
    plan: TaskPlan | None


@dataclasses.dataclass(frozen=True)
class CaseOutcome:
    """What is wrong with a case, if anything, what a person should know of it, and a digest of its image files."""

    case_id: str
    error: str | None = None
    notes: tuple[str, ...] = ()
    image: str = ""


def run_case(job: CaseJob) -> CaseOutcome:
    """Do what is not done yet for a case; a bad case is an outcome, so that the others go on.

    Raises:
        OSError: the disk is full or cannot be written to.
    """
    try:
        return CaseOutcome(job.raw.case_id, notes=_run(job), image=digest_files(job.raw.images))
    except _BAD_CASE as error:
        return _outcome(job, error)


def check_case(job: CaseJob) -> CaseOutcome:
    """Read the image of a case for its errors only."""
    try:
        volume = read_image(job.raw.images, len(job.rescalings))
        axes_of_file(job.raw.images[0], volume.orientation, job.orientation)
    except _BAD_CASE as error:
        return _outcome(job, error)
    return CaseOutcome(job.raw.case_id)


def _outcome(job: CaseJob, error: Exception) -> CaseOutcome:
    if isinstance(error, OSError) and error.errno in _BAD_PLACE:
        raise error
    if isinstance(error, MemoryError):
        return CaseOutcome(job.raw.case_id, f"{job.raw.images[0]}: memory ran out ({error}); crop or resample the file")
    return CaseOutcome(job.raw.case_id, str(error))


def _run(job: CaseJob) -> tuple[str, ...]:
    raw, folder = job.raw, case_folder(job.out_dir, job.raw.case_id)
    files = digest_case(raw.images, raw.label)
    axes = axes_of_file(raw.images[0], open_raw(raw.images[0]).orientation, job.orientation)
    measured = measurement_digest(files, job.label_values, job.rescalings, axes)
    measure = raw.label is not None and _digest_of_measurement(job) != measured
    made = None if job.plan is None else storage_digest(files, job.plan, axes)
    stored = None if job.plan is None else _stored(folder)
    store = made is not None and (stored is None or stored.source_digest != made)
    if not (measure or store):
        return () if stored is None else stored.notes
    volume = read_image(raw.images, len(job.rescalings))
    labels = None if raw.label is None else read_label(raw.label, raw.images[0], volume, job.label_values)
    if measure and labels is not None:
        ordered = volume.in_order(axes), to_plan_order(labels, axes)
        measurement = measure_case(*ordered, job.rescalings, raw.case_id, measured)
        text = json.dumps(measurement.to_json(), allow_nan=False)
        write_bytes_atomic(measurement_path(job.out_dir, raw.case_id), text.encode(), lasting=False)
    if store and job.plan is not None and made is not None:
        # Without its plan a task is not complete: nobody trains on a mixture of old and new cases.
        (job.out_dir / "plan.json").unlink(missing_ok=True)
        image, classes, stored = preprocess_volume(volume, job.plan, labels, raw.case_id, made, files)
        write_stored_case(folder, image, classes, stored)
    return volume.notes if stored is None else stored.notes


def case_folder(out_dir: Path, case_id: str) -> Path:
    """Where a case is stored."""
    return out_dir / "cases" / case_id


def measurement_path(out_dir: Path, case_id: str) -> Path:
    """Where the measurement of a case is kept."""
    return out_dir / "measurements" / f"{case_id}.json"


def read_measurement(out_dir: Path, case_id: str) -> CaseMeasurement:
    """What was measured of a case.

    Raises:
        ValueError: there is no valid measurement.
    """
    path, remedy = measurement_path(out_dir, case_id), "run rogseg preprocess again"
    content = read_json(path, remedy)
    try:
        return CaseMeasurement.from_json(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {remedy}") from error


def _digest_of_measurement(job: CaseJob) -> str | None:
    try:
        return read_measurement(job.out_dir, job.raw.case_id).source_digest
    except ValueError:
        return None  # absent, damaged, or of an older format: it is made again


def _stored(folder: Path) -> CaseProperties | None:
    try:
        case = StoredCase(folder)
        case.verify()
    except ValueError:
        return None  # absent, damaged, or of an older format: it is made again
    return case.properties
