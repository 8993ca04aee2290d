"""Where two identities differ, by the path of each value."""

import zlib
from collections.abc import Mapping
from typing import Any

from rogseg.evaluation.identity import EvaluationIdentity

__all__ = ["abridged", "differences", "leaves"]

LONGEST = 30  # letters of a value that a label or a name spells out


def differences(there: EvaluationIdentity, now: EvaluationIdentity) -> list[str]:
    """One sentence part per value that differs, named by its path, such as ``condition.config.seed: 1 there, 2 now``.

    A mu that is not known yet is equal to any. Of a test and an attack, say, that is all: they share little else.
    """
    kinds = [one.kind for one in (there, now)]
    if kinds[0] != kinds[1]:
        return [f"condition.kind: {kinds[0]!r} there, {kinds[1]!r} now"]
    old, new = leaves(there.to_json()), leaves(now.to_json())
    if "criterion.mu" in old and "criterion.mu" in new and None in (old["criterion.mu"], new["criterion.mu"]):
        new["criterion.mu"] = old["criterion.mu"]
    paths = dict.fromkeys([*old, *new])
    return [
        f"{_worded(path)}: {_shown(old, path)} there, {_shown(new, path)} now"
        for path in paths
        if (path in old) != (path in new) or old[path] != new[path]
    ]


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Nested JSON objects as one flat mapping: path -> value; lists stay whole."""
    if isinstance(value, Mapping) and value:
        return {key: leaf for name, part in value.items() for key, leaf in leaves(part, f"{path}.{name}").items()}
    return {path.removeprefix("."): value}


def abridged(text: str) -> str:
    """What a label or a name spells out of a value; of what is long, the checksum tells one from another."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({zlib.crc32(text.encode()):08x})"


def _worded(path: str) -> str:
    # A digest says that something differs, not what.
    if path == "system.digest":
        return f"{path} (the weights, the code or the settings of the network)"
    if path == "measures":
        return f"{path} (their settings, or the files of your own)"
    if path.endswith(".own_code"):
        return f"{path} (the files of your own components, and what these import from beside them)"
    return f"{path} (the files of that case)" if path.startswith("data.") else path


def _shown(leaves: Mapping[str, Any], path: str) -> str:
    return repr(leaves[path]) if path in leaves else "nothing"
