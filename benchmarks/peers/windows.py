"""Whole volumes through MONAI's sliding window and ours: inference, and the gradient for 8, 27 and 64 windows.

    python -m benchmarks.peers.windows [--rounds 3] [--windows 2 3 4]

Same network, window, overlap and map of weights. MONAI keeps the activations of every window until the backward pass;
ours evaluates each window twice and keeps one. Memory is that of a process of its own.
"""

import argparse
import importlib.metadata
import multiprocessing
import os
import warnings
from unittest import mock

import torch
from torch import Tensor, nn

from benchmarks.bench_inference import (
    MMAP_THRESHOLD,
    OVERLAP,
    PLAN,
    inference_peak,
    make_inputs,
    make_network,
    volume_gradient,
    with_monai,
)
from benchmarks.measuring import fastest, peak, reset_peak
from benchmarks.peers.rows import print_comparison
from rogseg.inference import VolumeLogits
from rogseg.inference.windows import SIGMA_FRACTION
from rogseg.task_plan import TaskPlan, Triple

MIB = 2**20


def monai_gradient(network: nn.Module, inputs: Tensor, window: Triple) -> Tensor:
    """Of the sum of all logits, as autograd gives it."""
    from monai.inferers import sliding_window_inference

    bells = [torch.exp(-0.5 * ((torch.arange(n) - (n - 1) / 2) / (SIGMA_FRACTION * n)) ** 2) for n in window]
    weights = (bells[0][:, None, None] * bells[1][:, None] * bells[2]).to(inputs)
    leaf = inputs.clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logits = sliding_window_inference(leaf, window, 1, network, OVERLAP, roi_weight_map=weights)
    assert isinstance(logits, Tensor)
    return torch.autograd.grad(logits, leaf, torch.ones_like(logits))[0]


def gradient_peak(kind: str, size: Triple) -> int:
    """Memory that one gradient adds to a process [bytes]."""
    torch.set_num_threads(1)
    plan = TaskPlan.load(PLAN)
    network, inputs = make_network(plan, "cpu"), make_inputs(plan, size, "cpu")
    before = reset_peak("cpu")
    if kind == "monai":
        monai_gradient(network, inputs, plan.window_size)
    else:
        volume_gradient(VolumeLogits(network, plan.window_size, OVERLAP), inputs)
    return peak("cpu") - before


def in_a_process(kind: str, size: Triple) -> float:
    """`gradient_peak` in a process of its own [MiB]."""
    with mock.patch.dict(os.environ, MALLOC_MMAP_THRESHOLD_=str(MMAP_THRESHOLD)):
        pool = multiprocessing.get_context("spawn").Pool(1)
    with pool:
        return pool.apply(gradient_peak, (kind, size)) / MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--windows", type=int, nargs="+", default=[2, 3, 4], help="along each axis")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    plan, peer = TaskPlan.load(PLAN), f"MONAI {importlib.metadata.version('monai')}"
    network, window = make_network(plan, "cpu"), plan.window_size
    ours = VolumeLogits(network, window, OVERLAP)
    for number in asked.windows:
        x, y, z = (length + (number - 1) * round(length * (1 - OVERLAP)) for length in window)
        size, count = (x, y, z), number**3
        inputs = make_inputs(plan, size, "cpu")
        assert len(ours.grid(inputs.shape[2:]).indices) == count
        difference = (monai_gradient(network, inputs, window) - volume_gradient(ours, inputs)).abs().max()
        print(f"largest difference of gradients over {count} windows: {float(difference):.1e}")
        if number == asked.windows[0]:

            def infer() -> None:
                with torch.no_grad():
                    ours(inputs)  # noqa: B023

            theirs, mine = fastest([lambda: with_monai(network, inputs, window), infer], "cpu", asked.rounds)  # noqa: B023
            print_comparison(f"inference over {count} windows: time", peer, mine, theirs, "s", "at most 0.95")
            held = [inference_peak(kind, size, "cpu") / MIB for kind in ("inference", "monai")]
            print_comparison(f"inference over {count} windows: memory", peer, held[0], held[1], "MiB", "at most 1")
        calls = [lambda: monai_gradient(network, inputs, window), lambda: volume_gradient(ours, inputs)]  # noqa: B023
        theirs, mine = fastest(calls, "cpu", asked.rounds, warm=False)
        print_comparison(f"gradient over {count} windows: time", peer, mine, theirs, "s", "at most 1.3")
        held = [in_a_process(kind, size) for kind in ("ours", "monai")]
        print_comparison(
            f"gradient over {count} windows: memory", peer, held[0], held[1], "MiB", "flat against growing"
        )


if __name__ == "__main__":
    main()
