"""Which device a run takes, by the name that a user gives it, and what a run on a CPU does with freed memory."""

import ctypes

import torch

from rogseg.systems import System

__all__ = ["choose_device", "keep_freed_memory", "system_device", "take_device"]

HINT = "write cpu, cuda, cuda:N or mps, or leave it out to take a GPU where there is one"
# From glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_MAX = -4
LARGEST_INT = 2**31 - 1


def take_device(name: str | None) -> torch.device:
    """The device of that name, as `choose_device`, and on a CPU `keep_freed_memory`.

    Raises:
        ValueError: there is no such device here.
    """
    device = choose_device(name)
    if device.type == "cpu":
        keep_freed_memory()
    return device


def choose_device(name: str | torch.device | None) -> torch.device:
    """The device of that name; None takes cuda where there is one.

    Raises:
        ValueError: there is no such device here.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device is {name!r}, which is unknown: {HINT}") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError(f"device is {name!r}, but this installation of torch sees no GPU: pass --device cpu")
        if device.index is not None and device.index >= torch.cuda.device_count():
            raise ValueError(f"device is {name!r}, but there are only {torch.cuda.device_count()} GPUs, from cuda:0 on")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise ValueError(f"device is {name!r}, but this installation of torch sees no Apple GPU: pass --device cpu")
    elif device.type != "cpu":
        raise ValueError(f"device is {name!r}, which networks are not run on: {HINT}")
    return device


def system_device(system: System) -> torch.device:
    """Where the cases of a system are put, and what records name: what it runs on, a CPU where it does not say."""
    return torch.device(system.device or "cpu")


def keep_freed_memory() -> bool:
    """Keep freed memory in the process instead of handing it back to the kernel; gives whether that took effect.

    A volume's activations are tens of megabytes each. The C library maps every such block afresh and unmaps it when it
    is freed, so each operation first waits for the kernel to fault in and clear thousands of pages: adding two tensors
    of 50 MB took 48 ms with, and 9 ms without that (two cores, batch 4 of 64 x 32x48x32 in float32; copying into an
    existing tensor took 8 ms). With no private mappings and no trimming, blocks are taken from the heap, kept there and
    reused at once. The process then holds its peak until it ends, which is what a training or an evaluation needs
    anyway. Without glibc this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, LARGEST_INT))
