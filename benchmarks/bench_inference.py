"""Whole-volume inference: against MONAI's sliding window, its gradient, and the region updates of Square.

Every row is a ratio of two things measured in turn in one run, the fastest of several rounds each.

    python -m benchmarks.bench_inference [--device cuda] [--size 64 96 64] [--threads 1] [--rounds 3] [--proposals 24]
"""

import argparse
import gc
import multiprocessing
import os
import warnings
from collections.abc import Callable
from unittest import mock

import torch
from monai.inferers import sliding_window_inference
from torch import Tensor, nn

import rogseg.models  # noqa: F401 (fills the registries)
from benchmarks.live_tensors import peak_bytes
from benchmarks.measuring import ROOT, fastest, on_gpu, peak, reset_peak
from benchmarks.region_updates import region_rows
from benchmarks.rows import print_row
from rogseg.inference import VolumeLogits
from rogseg.inference.windows import SIGMA_FRACTION
from rogseg.registry import MODELS
from rogseg.task_plan import TaskPlan, Triple

PLAN = ROOT / "configs/_base_/tasks/hippocampus_light.json"
OVERLAP = 0.5
MIB = 2**20
MMAP_THRESHOLD = 2**17  # glibc's own first value [bytes]


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


def inference_peak(kind: str, size: Triple, device: str) -> int:
    """Memory that one whole-volume call adds [bytes], in a process of its own where memory cannot be reset."""
    if on_gpu(device):
        return _inference_peak(kind, size, device)
    # Left to itself, glibc raises the size from which a freed block goes back to the system, and holes in the heap,
    # which swing by a fifth from run to run, cover what the two differ by.
    with mock.patch.dict(os.environ, MALLOC_MMAP_THRESHOLD_=str(MMAP_THRESHOLD)):
        pool = multiprocessing.get_context("spawn").Pool(1)
    with pool:
        return pool.apply(_inference_peak, (kind, size, device))


def _inference_peak(kind: str, size: Triple, device: str) -> int:
    torch.set_num_threads(1)
    plan = TaskPlan.load(PLAN)
    network, inputs = make_network(plan, device), make_inputs(plan, size, device)
    volume_logits = VolumeLogits(network, plan.window_size, OVERLAP)
    gc.collect()
    before = reset_peak(device)
    if kind == "monai":
        with_monai(network, inputs, plan.window_size)
    else:
        with torch.no_grad():
            volume_logits(inputs)
    return peak(device) - before


def activation_peak(network: nn.Module, inputs: Tensor, plan: TaskPlan, device: str) -> int:
    """Bytes of tensors that a volume's gradient holds at once beyond those of a network that keeps no activations."""
    known = [inputs, *network.parameters()]

    def held(model: Callable[[Tensor], Tensor]) -> int:
        volume_logits = VolumeLogits(model, plan.window_size, OVERLAP)
        return peak_bytes(lambda: volume_gradient(volume_logits, inputs), known, device)

    return held(network) - held(lambda window: window[:, :1].expand(-1, plan.num_classes, -1, -1, -1))


def make_inputs(plan: TaskPlan, size: Triple, device: str) -> Tensor:
    return torch.rand(1, plan.num_channels, *size, generator=torch.Generator().manual_seed(1)).to(device)


def volume_gradient(model: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    leaf = inputs.clone().requires_grad_()
    logits = model(leaf)
    return torch.autograd.grad(logits, leaf, torch.ones_like(logits))[0]


def window_passes(network: nn.Module, inputs: Tensor, volume_logits: VolumeLogits) -> None:
    """Two forward passes and one backward pass for every window, and nothing else."""
    grid = volume_logits.grid(inputs.shape[2:])
    for index in grid.indices:
        leaf = inputs[(..., *grid.region(index))].clone().requires_grad_()
        with torch.no_grad():
            network(leaf)
        logits = network(leaf)
        torch.autograd.grad(logits, leaf, torch.ones_like(logits))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, nargs=3, help="volume [voxels]; default: twice the window along each axis")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--proposals", type=int, default=24, help="region updates whose decisions are compared")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    plan, device = TaskPlan.load(PLAN), arguments.device
    window = plan.window_size
    size: Triple = tuple(arguments.size) if arguments.size else (2 * window[0], 2 * window[1], 2 * window[2])
    network, inputs = make_network(plan, device), make_inputs(plan, size, device)
    volume_logits = VolumeLogits(network, window, OVERLAP)
    num_windows = len(volume_logits.grid(inputs.shape[2:]).indices)
    print(f"volume {size}, window {window}, {num_windows} windows, device {device}, {torch.get_num_threads()} threads")

    def infer() -> None:
        with torch.no_grad():
            volume_logits(inputs)

    difference = (with_monai(network, inputs, window) - volume_logits(inputs)).abs().max()
    print_row("largest difference of logits to MONAI's", f"{float(difference):.1e}")
    calls: list[Callable[[], object]] = [lambda: with_monai(network, inputs, window), infer]
    monai, ours = fastest(calls, device, arguments.rounds)
    print_row("time of inference", f"{ours:.2f} s, MONAI {monai:.2f} s, ratio {ours / monai:.2f}", "at most 1")
    held, theirs = (inference_peak(kind, size, device) / MIB for kind in ("inference", "monai"))
    measured = f"{held:.1f} MiB, MONAI {theirs:.1f} MiB, ratio {held / theirs:.2f}"
    print_row("peak memory that inference adds to the process", measured, "at most 1")
    calls = [lambda: window_passes(network, inputs, volume_logits), lambda: volume_gradient(volume_logits, inputs)]
    passes, gradient = fastest(calls, device, arguments.rounds)
    measured = f"{gradient:.2f} s, its passes {passes:.2f} s, ratio {gradient / passes:.2f}"
    print_row("time of a volume's gradient, over 2 forward and 1 backward per window", measured, "at most 1.15")
    doubled = make_inputs(plan, (2 * size[0], size[1], size[2]), device)
    once, twice = (activation_peak(network, volume, plan, device) / MIB for volume in (inputs, doubled))
    measured = f"{twice:.1f} MiB, once the volume {once:.1f} MiB, ratio {twice / once:.3f}"
    print_row("activations of the gradient of twice the volume", measured, "at most 1.05")
    region_rows(volume_logits, inputs, plan.num_classes, arguments.rounds, arguments.proposals, device)


if __name__ == "__main__":
    main()
