"""The parts of one evaluation that several machines did."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.identity_differences import differences
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["are_shards", "merge_records"]


def are_shards(folders: Sequence[RecordFolder]) -> bool:
    """Whether the folders are parts of one evaluation; one that was stopped early does not know mu yet."""
    first = min(folders, key=lambda folder: folder.mu is None)
    return not any(differences(first.identity, folder.identity) for folder in folders)


def merge_records(directories: Iterable[str | Path], out: str | Path) -> RecordFolder:
    """Gather the shards of one evaluation in a new folder.

    Raises:
        ValueError: the shards differ in identity, or disagree on a record.
    """
    # A shard that was stopped early does not know mu yet.
    parts = sorted((RecordFolder(directory) for directory in directories), key=lambda part: part.mu is None)
    for part in parts:
        part.check_identity(parts[0].identity)
    merged = RecordFolder(out, parts[0].identity, parts[0].environment)
    if parts[0].mu is not None:
        merged.settle_mu(parts[0].mu)  # which an earlier merge may not have known
    gathered = {record.key: record for record in merged.as_made}
    for part in parts:
        for record in part.as_made:
            if record.key not in gathered:
                merged.add(record)
                gathered[record.key] = record
            elif _without_time(gathered[record.key]) != _without_time(record):
                raise ValueError(f"{part.directory}: its record of {record.key} differs from another shard's")
    return merged


def _without_time(record: CaseRecord) -> CaseRecord:
    return dataclasses.replace(record, seconds=0.0)
