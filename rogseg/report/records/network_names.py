"""What a report calls the networks of its records: two that answer otherwise have two names."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.identity_differences import leaves
from rogseg.evaluation.legacy_identity import NOT_RECORDED

__all__ = ["network_names"]

LONGEST = 30  # letters of an option that a name spells out
WINDOWS = ("window_size", "overlap")


def network_names(given: Sequence[tuple[str, EvaluationIdentity]]) -> list[str]:
    """A name per folder.

    Two networks of one name are told apart by their digests; those of one digest, as with and without mirroring, by
    the options that differ.

    Args:
        given: per folder the name that the user gave it, empty where it has its own, and its identity.
    """
    shown = [name or _own_name(identity) for name, identity in given]
    settings = _settings([identity for _, identity in given])
    names = []
    for name, (_, identity), setting in zip(shown, given, settings, strict=True):
        digest = identity.system.digest
        alike = [(i.system.digest, s) for n, (_, i), s in zip(shown, given, settings, strict=True) if n == name]
        full = name if len({other for other, _ in alike}) == 1 else f"{name} {digest[:8]}"
        paths = _telling([of_other for other, of_other in alike if other == digest])
        details = ", ".join(f"{path.removeprefix('options.')} {_worded(setting, path)}" for path in paths)
        names.append(f"{full} ({details})" if details else full)
    return names


def _own_name(identity: EvaluationIdentity) -> str:
    return identity.system.kind if identity.system.name == NOT_RECORDED else identity.system.name


def _settings(identities: Sequence[EvaluationIdentity]) -> list[dict[str, Any]]:
    """All that decides what weights answer, flat, by path; of older versions nothing, which noted it here and there.

    Windows count where the records of these weights name several: without any, the system has its own.
    """
    settings = []
    for identity in identities:
        setting: dict[str, Any] = {}
        if not identity.is_legacy:
            options = identity.system.options
            setting = leaves({"kind": identity.system.kind, **{f"options.{k}": v for k, v in options.items()}})
            for path in WINDOWS:
                of_weights = [getattr(i, path) for i in identities if i.system.digest == identity.system.digest]
                if len({value for value in of_weights if value is not None}) > 1:
                    setting[path] = getattr(identity, path)
        settings.append(setting)
    return settings


def _telling(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first paths that tell all settings apart that differ."""
    known = [setting for setting in settings if setting]
    chosen: list[str] = []
    for path in dict.fromkeys(path for setting in known for path in setting):
        if _count(known, [*chosen, path]) > _count(known, chosen):
            chosen.append(path)
    return chosen


def _count(settings: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> int:
    """How many of the settings these paths tell apart."""
    return len({tuple(_worded(setting, path) for path in paths) for setting in settings})


def _worded(setting: Mapping[str, Any], path: str) -> str:
    if path not in setting:
        return "not set"
    value = setting[path]
    if isinstance(value, (list, tuple)):
        text = " ".join(str(part) for part in value) or "none"
    else:
        text = value if isinstance(value, str) else json.dumps(value)
    # Of what is long, the checksum tells one from another.
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({zlib.crc32(text.encode()):08x})"
