"""How much memory is free now."""

from pathlib import Path

import torch

__all__ = ["free_gpu_memory", "free_machine_memory"]


def free_machine_memory() -> int | None:
    """What programs can still get without swapping [bytes]; None where the system does not say (Linux does)."""
    path = Path("/proc/meminfo")
    if not path.is_file():
        return None
    entries = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(entries["MemAvailable"].split()[0]) * 1024


def free_gpu_memory() -> int | None:
    """What is free on the GPU [bytes]; None without one."""
    if not torch.cuda.is_available():
        return None
    free, _ = torch.cuda.mem_get_info()
    return int(free)
