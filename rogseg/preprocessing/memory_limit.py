"""Sizes are held against what there is before memory is taken: a header can promise anything."""

from pathlib import Path

__all__ = ["MAX_VOXELS", "available_memory", "check_memory"]

MAX_VOXELS = 2**31
"""Of a volume; no scanner makes as many, and a header that says so is wrong."""

_WORTH_ASKING = 2**27  # bytes; less is there or nothing works anyway
_SHARE = 0.9  # of what is available; the rest is for everybody else

_MEMINFO = Path("/proc/meminfo")
_GROUP = Path("/sys/fs/cgroup")


def check_memory(needed: float, what: str, remedy: str) -> None:
    """Refuse what would not fit.

    Args:
        needed: memory [bytes].
        what: opens the message, with the numbers that say why so much is needed.
        remedy: what to do.

    Raises:
        ValueError: more is needed than there is.
    """
    if needed < _WORTH_ASKING:
        return
    available = available_memory()
    if available is not None and needed > _SHARE * available:
        raise ValueError(
            f"{what}: that takes {needed / 1e9:,.1f} GB of memory, and {available / 1e9:,.1f} GB are free; {remedy}"
        )


def available_memory() -> int | None:
    """What this process can still get [bytes]: of the machine or of the group it is confined to; None if unknown."""
    if not _MEMINFO.is_file():
        return None
    lines = dict(line.split(":", 1) for line in _MEMINFO.read_text("utf-8").splitlines())
    machine = int(lines["MemAvailable"].split()[0]) * 1024
    limit = _GROUP / "memory.max"
    if not limit.is_file() or limit.read_text("utf-8").strip() == "max":
        return machine
    used = int((_GROUP / "memory.current").read_text("utf-8"))
    statistics = dict(line.split() for line in (_GROUP / "memory.stat").read_text("utf-8").splitlines())
    # Pages of files are given back when somebody asks for memory.
    return max(0, min(machine, int(limit.read_text("utf-8")) - used + int(statistics["inactive_file"])))
