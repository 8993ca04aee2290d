"""Sizes as people write them: ``12GB`` of memory, a volume of ``512x512x300`` voxels."""

import re

from rogseg.task_plan import Triple

__all__ = ["format_bytes", "format_size", "parse_memory", "parse_size"]

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


def parse_memory(argument: str, text: str) -> int:
    """Read an amount of memory.

    Args:
        argument: what the user wrote it behind, for the message.
        text: a number with KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).

    Returns:
        [bytes].

    Raises:
        ValueError: it is no such amount, or none above 0.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", text.strip())
    if match is None:
        raise ValueError(f"{argument} {text!r} is not a number with a unit: write for instance 12GB or 11.5GiB")
    number, unit = float(match[1]), match[2].upper()
    if unit not in UNITS:
        raise ValueError(f"{argument} {text!r}: {match[2]!r} is no unit of memory: write for instance 12GB or 11.5GiB")
    if not int(number * UNITS[unit]):
        raise ValueError(f"{argument} {text!r} is no memory at all: write for instance 12GB or 11.5GiB")
    return int(number * UNITS[unit])


def parse_size(argument: str, text: str) -> Triple:
    """Read the extent of a volume [voxels].

    Args:
        argument: what the user wrote it behind, for the message.
        text: three positive whole numbers with ``x`` between them, in the order of the NIfTI file's axes.

    Raises:
        ValueError: it is not three positive whole numbers.
    """
    lengths = [int(part) if part.isascii() and part.isdecimal() else 0 for part in text.strip().lower().split("x")]
    if len(lengths) != 3:
        raise ValueError(
            f"{argument} {text!r} has {len(lengths)} axes, a volume has three: write for instance 512x512x300"
        )
    if min(lengths) < 1:
        raise ValueError(f"{argument} {text!r} is not three positive whole numbers: write for instance 512x512x300")
    return lengths[0], lengths[1], lengths[2]


def format_bytes(number: float) -> str:
    """Bytes in the unit that fits, powers of 1000: ``5.52 GB``."""
    for unit in ("TB", "GB", "MB"):
        if number >= UNITS[unit]:
            return f"{number / UNITS[unit]:.3g} {unit}"
    return f"{number / UNITS['KB']:.3g} KB"


def format_size(size: Triple) -> str:
    """``192x192x96``."""
    return "x".join(str(length) for length in size)
