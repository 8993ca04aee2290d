"""What a worker does with one case of a task: measure it, store it, or find that all is done already."""

import dataclasses
import json
from pathlib import Path

from rogseg.preprocessing.case_preprocessing import preprocess_volume
from rogseg.preprocessing.measurement import CaseMeasurement, measure_case
from rogseg.preprocessing.nifti import read_image, read_label
from rogseg.preprocessing.source_digest import digest_files, measurement_digest, storage_digest
from rogseg.storage import RawCase, StoredCase, write_bytes_atomic, write_stored_case
from rogseg.task_plan import TaskPlan

__all__ = ["CaseJob", "CaseOutcome", "case_folder", "check_case", "read_measurement", "run_case"]


@dataclasses.dataclass(frozen=True)
class CaseJob:
    """A case to be measured (where it is labelled) and, where there is a plan, stored under ``out_dir``."""

    raw: RawCase
    out_dir: Path
    label_values: tuple[int, ...]
    rescaled: tuple[bool, ...]
    plan: TaskPlan | None


@dataclasses.dataclass(frozen=True)
class CaseOutcome:
    """Whether anything had to be done for a case, and what is wrong with it, if anything."""

    case_id: str
    worked: bool
    error: str | None = None


def run_case(job: CaseJob) -> CaseOutcome:
    """Do what is not done yet for a case; a bad case is an outcome, so that the others go on."""
    try:
        return CaseOutcome(job.raw.case_id, _run(job))
    except ValueError as error:
        return CaseOutcome(job.raw.case_id, True, str(error))


def check_case(job: CaseJob) -> CaseOutcome:
    """Read the image of a case for its errors only."""
    try:
        read_image(job.raw.images, len(job.rescaled))
    except ValueError as error:
        return CaseOutcome(job.raw.case_id, True, str(error))
    return CaseOutcome(job.raw.case_id, True)


def _run(job: CaseJob) -> bool:
    raw, folder = job.raw, case_folder(job.out_dir, job.raw.case_id)
    files = digest_files([*raw.images, *([] if raw.label is None else [raw.label])])
    measured = measurement_digest(files, job.label_values, job.rescaled)
    measure = raw.label is not None and _digest_of_measurement(job) != measured
    stored = None if job.plan is None else storage_digest(files, job.plan)
    store = stored is not None and _digest_of_stored(folder) != stored
    if not (measure or store):
        return False
    volume = read_image(raw.images, len(job.rescaled))
    labels = None if raw.label is None else read_label(raw.label, raw.images[0], volume, job.label_values)
    if measure and labels is not None:
        measurement = measure_case(volume, labels, job.rescaled, raw.case_id, measured)
        text = json.dumps(measurement.to_json(), allow_nan=False)
        write_bytes_atomic(_measurement_path(job.out_dir, raw.case_id), text.encode(), lasting=False)
    if store and job.plan is not None and stored is not None:
        # Without its plan a task is not complete: nobody trains on a mixture of old and new cases.
        (job.out_dir / "plan.json").unlink(missing_ok=True)
        image, classes, properties = preprocess_volume(volume, job.plan, labels, raw.case_id, stored)
        write_stored_case(folder, image, classes, properties)
    return True


def case_folder(out_dir: Path, case_id: str) -> Path:
    """Where a case is stored."""
    return out_dir / "cases" / case_id


def read_measurement(out_dir: Path, case_id: str) -> CaseMeasurement:
    """What was measured of a case.

    Raises:
        ValueError: there is no valid measurement.
    """
    path = _measurement_path(out_dir, case_id)
    try:
        return CaseMeasurement.from_json(json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError, ValueError) as error:
        raise ValueError(f"{path}: {error}; run tools/preprocess.py again") from error


def _measurement_path(out_dir: Path, case_id: str) -> Path:
    return out_dir / "measurements" / f"{case_id}.json"


def _digest_of_measurement(job: CaseJob) -> str | None:
    try:
        return read_measurement(job.out_dir, job.raw.case_id).source_digest
    except ValueError:
        return None  # absent, or of an older format: it is made again


def _digest_of_stored(folder: Path) -> str | None:
    try:
        return StoredCase(folder).properties.source_digest
    except ValueError:
        return None
