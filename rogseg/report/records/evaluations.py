"""Record folders as a report takes them: which belong to which network, and whether their numbers compare."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rogseg.cases import worded_cases
from rogseg.evaluation.case_record import DICE
from rogseg.evaluation.common_cases import of_common_cases
from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.record_file import RecordFile
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import SANITY_FILE, load_findings
from rogseg.report.contents import Finding
from rogseg.report.records.network_names import network_names
from rogseg.report.volumes import VOLUMES, SavedVolume

__all__ = ["Evaluation", "read_evaluations"]

RECORDS = "records.jsonl"
SAME_DICE = 1e-3  # a GPU may label voxels at near-ties otherwise


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """One record folder: its network's name in the report, its records, where each stands, findings and volumes."""

    system: str
    folder: RecordFolder
    lines: Mapping[tuple[str, str, float], int]
    digest: str
    findings: tuple[Finding, ...]
    volumes: tuple[SavedVolume, ...]

    @property
    def identity(self) -> EvaluationIdentity:
        """What its numbers depend on."""
        return self.folder.identity

    @property
    def setting(self) -> str:
        """What its numbers were measured on, in words."""
        grid = {
            "raw grid": "whole volumes, in the grid of the files",
            "volume": "whole volumes, in the network's grid",
            "patch": "one window around the target, in the network's grid",
        }.get(self.identity.protocol, self.identity.protocol)
        return f"{grid}, {worded_cases(len(self.identity.cases))}"

    @property
    def criterion(self) -> str:
        """When a case counts as fallen, as canonical JSON; empty where nothing can fall."""
        criterion = self.identity.criterion
        return "" if criterion is None else json.dumps(criterion.config, sort_keys=True)

    @property
    def basis(self) -> str:
        """A digest of what clean values depend on beside the network: protocol, cases and the rule of Dice."""
        parts = [self.identity.protocol, sorted(self.identity.data.items()), self.identity.counts_false_classes]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_evaluations(
    folders: Sequence[Path] | Mapping[str, Sequence[Path]], *, common_cases: bool = False
) -> tuple[Evaluation, ...]:
    """Read the record folders of a report.

    Args:
        folders: of records; by the name of the network where the records' own names should not be shown.
        common_cases: whether to keep those cases alone that all evaluations have done.

    Raises:
        ValueError: a folder holds no records, or two do not belong into one report; the message says why.
    """
    named = folders if isinstance(folders, Mapping) else {"": folders}
    opened = [(name, path, RecordFolder(path)) for name, paths in named.items() for path in paths]
    if not opened:
        raise ValueError("there is no folder of records to report on")
    if common_cases:
        narrowed = of_common_cases([folder for _, _, folder in opened])
        opened = [(name, path, folder) for (name, path, _), folder in zip(opened, narrowed, strict=True)]
    _check_together([folder for _, _, folder in opened])
    names = network_names([(name, folder.identity) for name, _, folder in opened])
    evaluations = []
    for system, (_, path, folder) in zip(names, opened, strict=True):
        content = (path / RECORDS).read_bytes() if (path / RECORDS).exists() else b""
        evaluations.append(
            Evaluation(
                system=system,
                folder=folder,
                lines=_lines(path / RECORDS),
                digest=hashlib.sha256(content).hexdigest(),
                findings=tuple(
                    Finding(system, found.name, found.level, found.seen, found.meaning)
                    for found in load_findings(path / SANITY_FILE, folder.key)
                ),
                volumes=tuple(
                    dataclasses.replace(volume, system=system)
                    for volume in _volumes(path / VOLUMES, folder)
                    if not common_cases or volume.case_id in folder.identity.data
                ),
            )
        )
    return tuple(evaluations)


def _volumes(directory: Path, folder: RecordFolder) -> Iterator[SavedVolume]:
    """The volumes that are kept beside records, each held against the record of its case.

    Raises:
        ValueError: one was segmented otherwise before the attack than its record says, so it is of another network.
    """
    clean = folder.clean()
    for path in sorted(directory.glob("*.npz")):
        volume = SavedVolume.load(path)
        if volume.clean_dice.size and volume.case_id in clean:
            known = [math.nan if dice is None else dice for dice in clean[volume.case_id].clean.get(DICE, ())]
            kept = volume.clean_dice.tolist()
            if not (len(kept) == len(known) and np.allclose(kept, known, rtol=0, atol=SAME_DICE, equal_nan=True)):
                raise ValueError(
                    f"{path}: was kept of another evaluation than the records beside it are of, whose clean Dice of "
                    f"{volume.case_id} is {', '.join(f'{dice:.3f}' for dice in known)} and not "
                    f"{', '.join(f'{dice:.3f}' for dice in kept)}; delete it"
                )
        yield volume


def _check_together(folders: Sequence[RecordFolder]) -> None:
    first = next((folder for folder in folders if _names_classes(folder.identity)), folders[0])
    for folder in folders:
        for key in ("task", "classes"):
            ours, theirs = getattr(first.identity, key), getattr(folder.identity, key)
            if key == "classes" and not _names_classes(folder.identity):
                ours, theirs = len(ours), len(theirs)
            if ours != theirs:
                raise ValueError(
                    f"{first.directory} and {folder.directory} differ in {key} ({ours} and {theirs}): make a report "
                    "of each"
                )
    _refuse_other_boxes(folders)
    for kind in ("attack", "corruption", "certificate", "transfer"):
        alike = [folder for folder in folders if folder.identity.kind == kind]
        for folder in alike[1:]:
            for key in ("protocol", "data"):
                if getattr(alike[0].identity, key) != getattr(folder.identity, key):
                    what = "cases" if key == "data" else key
                    raise ValueError(
                        f"{alike[0].directory} and {folder.directory} differ in {what}, so their numbers do not "
                        "compare; evaluate both in the same way, or make a report of each"
                        + (", or of the --common-cases" if key == "data" else "")
                    )


def _refuse_other_boxes(folders: Sequence[RecordFolder]) -> None:
    """One fraction of two reference boxes is two changes in raw units, which would stand in one row."""
    boxes: dict[str, tuple[RecordFolder, Any]] = {}
    for folder in folders:
        threat = folder.identity.threat
        if threat is None or threat.unit != "reference":
            continue
        for case_id in folder.identity.data:
            here = threat.options.get(case_id)
            first, there = boxes.setdefault(case_id, (folder, here))
            if here != there:
                raise ValueError(
                    f"{first.directory} and {folder.directory} differ in the reference box of {case_id} ({there} and "
                    f"{here} raw units), so that one epsilon is two changes: make a report of each"
                )


def _names_classes(identity: EvaluationIdentity) -> bool:
    """Whether the classes are named: older tests only counted them."""
    return not (identity.is_legacy and identity.condition is None)


def _lines(path: Path) -> dict[tuple[str, str, float], int]:
    """The number of the line of each record; the folder has looked at their checksums."""
    lines = {}
    for number, line in enumerate(RecordFile(path, checked=False).lines(), 1):
        record = json.loads(line)
        condition = record.get("condition", record.get("attack", "clean"))
        lines[record["case_id"], condition, float(record.get("strength", record.get("epsilon", 0.0)))] = number
    return lines
