"""What an earlier run of a hardening left: settings to go on with, or a system that is written whole."""

import json
from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from rogseg.engine.hardening.look import Look
from rogseg.foreign import decode, read_json
from rogseg.models.hardening_lineage import HardeningLineage, read_hardening
from rogseg.storage import write_json_atomic

__all__ = ["finished_hardening", "looks_of_the_same", "refuse_other_settings"]


def finished_hardening(out: Path) -> HardeningLineage | None:
    """The record of the hardening that lies where one is to be written; None where nothing does.

    Raises:
        ValueError: something else lies there, or the record is not that of the weights beside it.
    """
    lineage = read_hardening(out) if out.exists() else None
    if lineage is None and out.exists():
        raise ValueError(f"{out}: exists already; name a folder that does not")
    return lineage


def looks_of_the_same(out: Path, lineage: HardeningLineage, asked: Mapping[str, Any]) -> tuple[Look, Look]:
    """The looks before and after of a hardening that came to its end, as where who asked was killed before it heard.

    Args:
        out: folder of the hardened system.
        lineage: its record.
        asked: everything that decides the result, as `refuse_other_settings` takes it.

    Raises:
        ValueError: it was made with other settings.
    """
    found = {**lineage.settings, "fold": lineage.fold, "start": lineage.start[1], "data": lineage.data}
    if differing := _differing(found, _plain(asked)):
        raise ValueError(
            f"{out}: exists already, a hardening with other settings ({', '.join(differing)}); name a folder that does "
            "not exist"
        )
    before, after = (decode(lineage.looks[when], Look, f"{out}: looks") for when in ("before", "after"))
    return before, after


def refuse_other_settings(path: Path, asked: Mapping[str, Any], free: Set[str]) -> None:
    """Compare with what a hardening began with, and keep what is asked for.

    Args:
        path: JSON file of the settings, in the folder of the training.
        asked: everything that decides the result.
        free: what may differ: nothing there depends on it yet, as on minutes that were too few to begin.

    Raises:
        ValueError: they differ otherwise; the message names what does.
    """
    wanted = _plain(asked)
    known = read_json(path, f"remove {path.parent} to begin again") if path.is_file() else wanted
    found = decode(known, dict[str, Any], str(path))
    if differing := [key for key in _differing(found, wanted) if key not in free]:
        raise ValueError(
            f"{path.parent}: holds a hardening with other settings ({', '.join(differing)}): give the same to go on "
            "with it, remove the folder to begin again, or name another --out"
        )
    write_json_atomic(path, wanted)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As they are read from JSON."""
    return decode(json.loads(json.dumps(settings)), dict[str, Any], "settings")


def _differing(found: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*found, *asked} if found.get(key) != asked.get(key))
