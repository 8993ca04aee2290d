"""Whole-volume inference: against MONAI's sliding window, its gradient, and the region updates of Square.

Every row is a ratio of two things measured in turn in one run, the fastest of several rounds each. Run it as
``python -m benchmarks.bench_inference [--device cuda] [--size 64 96 64]``.
"""

import argparse
import gc
import multiprocessing
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

import rogseg.models  # noqa: F401 (fills the registries)
from rogseg.inference import CachedVolumeLogits, VolumeLogits
from rogseg.inference.windows import SIGMA_FRACTION, Region
from rogseg.registry import MODELS
from rogseg.task_plan import TaskPlan, Triple

PLAN = Path(__file__).resolve().parents[1] / "configs/_base_/tasks/hippocampus_light.json"
OVERLAP = 0.5
ROUNDS = 5


def make_network(plan: TaskPlan, device: str) -> nn.Module:
    torch.manual_seed(0)
    first, _, _ = plan.strides
    network: nn.Module = MODELS.build(
        {
            "type": "Segmentor",
            "backbone": {"type": "ROG", "in_channels": plan.num_channels, "strides": plan.strides},
            "head": {"type": "ROGHead", "num_classes": plan.num_classes, "scale": first},
        }
    )
    return network.to(device).eval().requires_grad_(False)


def with_monai(network: nn.Module, inputs: Tensor, window: Triple) -> Tensor:
    # MONAI's own map is cut off at 1e-3 of its top, which near the volume's faces averages windows evenly.
    bells = [torch.exp(-0.5 * ((torch.arange(n) - (n - 1) / 2) / (SIGMA_FRACTION * n)) ** 2) for n in window]
    weights = (bells[0][:, None, None] * bells[1][:, None] * bells[2]).to(inputs)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logits = sliding_window_inference(inputs, window, 1, network, OVERLAP, roi_weight_map=weights)
    assert isinstance(logits, Tensor)
    return logits


def seconds(call: Callable[[], object], device: str) -> float:
    """Time of a call; of one thread its processor time, which other programs do not lengthen."""
    if device == "cuda":
        torch.cuda.synchronize()
    clock = time.process_time if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def fastest(calls: list[Callable[[], object]], device: str) -> list[float]:
    """The best time of each call, measured in turn so that a slow spell of the machine meets all of them."""
    for call in calls:
        call()
    rounds = [[seconds(call, device) for call in calls] for _ in range(ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def peak_bytes(kind: str, size: Triple, device: str) -> int:
    """Memory that one whole-volume call adds, in a process of its own where memory cannot be reset."""
    if device == "cuda":
        return _measure_peak(kind, size, device)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure_peak, (kind, size, device))


def _measure_peak(kind: str, size: Triple, device: str) -> int:
    torch.set_num_threads(1)
    plan = TaskPlan.load(PLAN)
    network, inputs = make_network(plan, device), make_inputs(plan, size, device)
    volume_logits = VolumeLogits(network, plan.window_size, OVERLAP)
    gc.collect()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak of the resident memory (Linux)
    before = torch.cuda.memory_allocated() if device == "cuda" else _resident("VmRSS")
    if kind == "monai":
        with_monai(network, inputs, plan.window_size)
    elif kind == "inference":
        with torch.no_grad():
            volume_logits(inputs)
    else:
        volume_gradient(volume_logits, inputs)
    return (torch.cuda.max_memory_allocated() if device == "cuda" else _resident("VmHWM")) - before


def _resident(entry: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry)) * 1024


def make_inputs(plan: TaskPlan, size: Triple, device: str) -> Tensor:
    return torch.rand(1, plan.num_channels, *size, generator=torch.Generator().manual_seed(1)).to(device)


def volume_gradient(model: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    leaf = inputs.clone().requires_grad_()
    return torch.autograd.grad(model(leaf).square().mean(), leaf)[0]


def window_passes(network: nn.Module, inputs: Tensor, volume_logits: VolumeLogits) -> None:
    """Two forward passes and one backward pass for every window, and nothing else."""
    grid = volume_logits.grid(inputs.shape[2:])
    for index in grid.indices:
        leaf = inputs[(..., *grid.region(index))].clone().requires_grad_()
        with torch.no_grad():
            network(leaf)
        logits = network(leaf)
        torch.autograd.grad(logits, leaf, torch.ones_like(logits))


def region_row(volume_logits: VolumeLogits, inputs: Tensor, side: int, device: str) -> tuple[float, float, int, int]:
    """Seconds of a full query and of a local one, windows, windows touched on average."""
    cache = CachedVolumeLogits(volume_logits, inputs)
    corners = [(i * 7 % (inputs.shape[2] - side), i * 5 % (inputs.shape[3] - side), 3) for i in range(6)]
    regions: list[Region] = [(slice(x, x + side), slice(y, y + side), slice(z, z + side)) for x, y, z in corners]
    touched = sum(cache.num_touched(region) for region in regions)

    def local() -> None:
        for region in regions:
            cache.propose(inputs[(..., *region)] + 0.1, region)
            cache.reject()

    with torch.no_grad():
        full_time, local_time = fastest([lambda: volume_logits(inputs), local], device)
    return full_time, local_time / len(regions), cache.num_windows, round(touched / len(regions))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, nargs=3, help="volume [voxels]; default: 2 x 2 x 2 windows' extent")
    arguments = parser.parse_args()
    plan, device = TaskPlan.load(PLAN), arguments.device
    window = plan.window_size
    size: Triple = tuple(arguments.size) if arguments.size else (2 * window[0], 2 * window[1], 2 * window[2])
    network, inputs = make_network(plan, device), make_inputs(plan, size, device)
    volume_logits = VolumeLogits(network, window, OVERLAP)
    num_windows = len(volume_logits.grid(inputs.shape[2:]).indices)
    print(f"volume {size}, window {window}, {num_windows} windows, device {device}, {torch.get_num_threads()} threads")

    difference = (with_monai(network, inputs, window) - volume_logits(inputs)).abs().max()
    print(f"largest difference to MONAI: {float(difference):.2e}")
    with torch.no_grad():
        monai, ours = fastest([lambda: with_monai(network, inputs, window), lambda: volume_logits(inputs)], device)
    print(f"inference: {ours:.2f} s, MONAI {monai:.2f} s, ratio {ours / monai:.3f} (at most 1)")
    passes, gradient = fastest(
        [
            lambda: window_passes(network, inputs, volume_logits),
            lambda: volume_gradient(volume_logits, inputs),
        ],
        device,
    )
    print(f"gradient: {gradient:.2f} s, its passes {passes:.2f} s, ratio {gradient / passes:.3f} (at most 1.15)")
    full, local, windows, touched = region_row(volume_logits, inputs, max(2, min(size) // 8), device)
    gain, bar = full / local, windows / touched
    print(
        f"region: {touched} of {windows} windows touched, {gain:.2f} times faster, "
        f"{gain / bar:.2f} of {bar:.2f} (at least 0.7)"
    )
    peaks = {kind: peak_bytes(kind, size, device) / 2**20 for kind in ("monai", "inference", "gradient")}
    print("peak memory added [MiB]: " + ", ".join(f"{kind} {value:.0f}" for kind, value in peaks.items()))
    doubled = (2 * size[0], size[1], size[2])
    growth = peak_bytes("gradient", doubled, device) / 2**20 - peaks["gradient"]
    # Input, its copy, its gradient and the logits with theirs: what grows with the volume by necessity.
    tensors = (3 * plan.num_channels + 3 * plan.num_classes) * 4 * size[0] * size[1] * size[2] / 2**20
    print(
        f"gradient, twice the volume: {growth:+.0f} MiB, of which {tensors:.0f} MiB are volumes of numbers, "
        "not activations"
    )


if __name__ == "__main__":
    main()
