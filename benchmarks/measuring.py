"""How the benchmarks measure time and memory, in one place, so that their numbers mean the same."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

__all__ = ["ROOT", "fastest", "on_gpu", "peak", "reset_peak", "seconds", "synchronize"]

ROOT = Path(__file__).resolve().parents[1]
Device = str | torch.device


def on_gpu(device: Device) -> bool:
    return torch.device(device).type == "cuda"


def synchronize(device: Device) -> None:
    """Wait for a GPU; a CPU has nothing to wait for."""
    if on_gpu(device):
        torch.cuda.synchronize()


def seconds(call: Callable[[], object], device: Device) -> float:
    """Time of a call [s], the device's work included.

    On one thread of a CPU that is processor time, which other programs on the machine do not lengthen.
    """
    clock = time.perf_counter if on_gpu(device) or torch.get_num_threads() > 1 else time.process_time
    synchronize(device)
    start = clock()
    call()
    synchronize(device)
    return clock() - start


def fastest(calls: Sequence[Callable[[], object]], device: Device, rounds: int, warm: bool = True) -> list[float]:
    """The best time of each call [s], taken in turn so that a slow spell of the machine meets all of them.

    Args:
        calls: what is compared.
        device: where it runs.
        rounds: measurements of each call; what else runs on the machine can only add, so the shortest counts.
        warm: whether each is called once more before, unmeasured.
    """
    for call in calls if warm else ():
        call()
    times = [[seconds(call, device) for call in calls] for _ in range(rounds)]
    return [min(of_call) for of_call in zip(*times, strict=True)]


def reset_peak(device: Device) -> int:
    """Let the peak of memory start again; gives what is held now [bytes]."""
    if on_gpu(device):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak of resident memory starts again
    return _resident("VmRSS")


def peak(device: Device) -> int:
    """Most memory held since `reset_peak` [bytes]: a GPU's allocator's, or the resident memory of this process."""
    return torch.cuda.max_memory_allocated() if on_gpu(device) else _resident("VmHWM")


def _resident(entry: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry)) * 1024
