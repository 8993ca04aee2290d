"""What a network of another framework was hardened on, written beside it, and what therefore cannot be reported on."""

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.foreign import checked_name, decode, open_regular, read_json
from rogseg.models.lineage import SeenCases, united
from rogseg.storage import write_json_atomic

__all__ = ["HARDENING_FILE", "HardeningLineage", "read_hardening", "write_hardening"]

HARDENING_FILE = "rogseg_hardening.json"
NO_WEIGHTS = ("", ".json", ".md", ".txt", ".yaml", ".yml", ".py", ".csv", ".png", ".pdf", ".pkl")
REMEDY = "fetch the folder again; without its record nobody knows what was trained on"


@dataclasses.dataclass(frozen=True)
class HardeningLineage(SeenCases):
    """The record of a hardening.

    Args:
        task: name of the task whose cases it took.
        training: cases that the weights were fitted to.
        selection: cases that were looked at before and after.
        validation: cases of the fold that had no part; they may be reported on.
        fold: counted from 0.
        data: SHA-256 of the raw files of the training and selection cases.
        start: name and SHA-256 of the system that it began from.
        inherited: task -> cases that the start had been hardened on before.
        is_start_known: False where nothing says what the start was trained on.
        settings: everything else that the weights depend on; JSON data.
        looks: the cases that were looked at, with Dice before and after; JSON data.
        versions: of the packages.
    """

    task: str
    training: tuple[str, ...]
    selection: tuple[str, ...]
    validation: tuple[str, ...]
    fold: int
    data: dict[str, str]
    start: tuple[str, str]
    inherited: dict[str, tuple[str, ...]]
    is_start_known: bool
    settings: dict[str, Any]
    looks: dict[str, Any]
    versions: dict[str, str]

    @property
    def seen(self) -> dict[str, tuple[str, ...]]:
        """Task -> its cases, sorted, those that were looked at and those that the start had seen included."""
        return united([self.inherited, {self.task: (*self.training, *self.selection)}])

    def to_json(self) -> Mapping[str, Any]:
        """As plain JSON data."""
        return dataclasses.asdict(self)


def write_hardening(folder: Path, lineage: HardeningLineage) -> None:
    """Write the record beside the weights that it is of, with their digests and a checksum of what it says."""
    files = (path for path in sorted(folder.rglob("*")) if path.suffix not in NO_WEIGHTS and path.is_file())
    weights = {path.relative_to(folder).as_posix(): _digest(path) for path in files}
    content = {"lineage": dict(lineage.to_json()), "weights": weights}
    write_json_atomic(folder / HARDENING_FILE, {**content, "crc": _checksum(content)})


def read_hardening(folder: Path, used: Path | None = None) -> HardeningLineage | None:
    """The record in a system's folder; None where it was not hardened.

    Args:
        folder: that a system was read from.
        used: the file of its weights, where it is one of several that may lie there; None takes the folder as a whole.

    Raises:
        ValueError: it is damaged, is not what was written, or is of other weights than those that lie beside it or
            than those that are used.
    """
    path = folder / HARDENING_FILE
    if not path.exists():
        return None
    content = decode(read_json(path, REMEDY), dict[str, Any], str(path))
    if content.get("crc") != _checksum({part: content.get(part) for part in ("lineage", "weights")}):
        raise ValueError(f"{path}: it is not what was written there, its checksum differs; {REMEDY}")
    lineage = decode(content["lineage"], HardeningLineage, f"{path}: lineage")
    weights = decode(content["weights"], dict[str, str], f"{path}: weights")
    if used is not None and used.name not in weights:
        raise ValueError(
            f"{path}: is the record of {', '.join(sorted(weights))}, not of {used.name} beside it; give each network a "
            "folder of its own"
        )
    for name, digest in weights.items():
        parts = [checked_name(part, path) for part in name.split("/")]
        if _digest(folder.joinpath(*parts)) != digest:
            raise ValueError(f"{path}: {name} is not the file that was hardened, its digest differs; {REMEDY}")
    return lineage


def _checksum(content: Mapping[str, Any]) -> str:
    """Over what is said, however it is laid out."""
    return f"{zlib.crc32(json.dumps(content, sort_keys=True).encode()):08x}"


def _digest(path: Path) -> str:
    with open_regular(path, REMEDY) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
