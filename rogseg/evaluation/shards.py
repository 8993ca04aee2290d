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
    same = not any(differences(first.identity, folder.identity) for folder in folders)
    return same and len(_separate_strengths(folders)) < 2


def merge_records(directories: Iterable[str | Path], out: str | Path) -> RecordFolder:
    """Gather the shards of one evaluation in a new folder.

    Raises:
        ValueError: the shards differ in identity or epsilon, or disagree on a record with each other or with what an
            earlier merge has left in the folder.
    """
    # A shard that was stopped early does not know mu yet.
    parts = sorted((RecordFolder(directory) for directory in directories), key=lambda part: part.mu is None)
    for part in parts:
        part.check_identity(parts[0].identity)
    if len(separate := _separate_strengths(parts)) > 1:
        named = ", ".join(f"{directory} {strength:.5f}" for strength, directory in separate.items())
        raise ValueError(f"these are of several epsilons, so no shards of one evaluation ({named}); name those of one")
    merged = RecordFolder(out, parts[0].identity, parts[0].environment)
    if parts[0].mu is not None:
        merged.settle_mu(parts[0].mu)  # which an earlier merge may not have known
    gathered = {record.key: (record, merged.directory) for record in merged.as_made}
    for part in parts:
        for record in part.as_made:
            if record.key not in gathered:
                merged.add(record)
                gathered[record.key] = record, part.directory
            there, place = gathered[record.key]
            if _without_time(there) != _without_time(record):
                raise ValueError(
                    f"{part.directory} and {place} hold two records of {record.key}, which differ; leave the wrong "
                    "folder of the two out, or give another --out where that is the wrong one"
                )
    return merged


def _separate_strengths(parts: Sequence[RecordFolder]) -> dict[float, Path]:
    """By epsilon a folder, of attacks at one epsilon each: several in one evaluation are in its identity."""
    condition = parts[0].identity.condition
    if condition is None or condition.kind != "attack" or "sweep" in condition.config:
        return {}
    alone = {part.directory: part.strengths() for part in parts}  # older sweeps are several in one folder
    return {strengths[0]: directory for directory, strengths in alone.items() if len(strengths) == 1}


def _without_time(record: CaseRecord) -> CaseRecord:
    return dataclasses.replace(record, seconds=0.0)
