"""Digests by which a rerun knows whether what is stored still is what it would make."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rogseg.task_plan import TaskPlan

__all__ = ["digest_files", "measurement_digest", "storage_digest"]

VERSION = 2  # raise it when the same raw files and plan give another result


def digest_files(paths: Sequence[Path]) -> str:
    """A digest of the content of files, in order.

    Raises:
        ValueError: a file is missing.
    """
    total = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                total.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ValueError(
                f"{path}: cannot be read ({error.strerror}); complete the raw data or take the case out of dataset.json"
            ) from error
    return total.hexdigest()


def storage_digest(files: str, plan: TaskPlan) -> str:
    """The digest of a stored case: its files and the parts of the plan that it depends on."""
    channels = [dataclasses.asdict(channel) for channel in plan.channels]
    return _combined(files, {"channels": channels, "label_values": plan.label_values, "spacing": plan.spacing})


def measurement_digest(files: str, label_values: Sequence[int], rescaled: Sequence[bool]) -> str:
    """The digest of a case's measurement: its files and how they were read."""
    return _combined(files, {"label_values": list(label_values), "rescaled": list(rescaled)})


def _combined(files: str, made_with: dict[str, Any]) -> str:
    text = json.dumps({"version": VERSION, "files": files, **made_with}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
