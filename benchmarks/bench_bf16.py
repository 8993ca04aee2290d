"""Autocast to bfloat16 against float32: ``python -m benchmarks.bench_bf16 [--device cuda] [--threads 2]``.

A CPU without bfloat16 instructions emulates them; there autocast is off by default, and this says by how much it loses.
"""

import argparse

import torch

from benchmarks.bench_rog import batch, make, run
from benchmarks.measuring import fastest, on_gpu
from benchmarks.rows import print_row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = arguments.device
    # A training step would take minutes where bfloat16 is emulated; the forward pass says enough there.
    row = "training step" if on_gpu(device) else "forward"
    model, (inputs, targets) = make("rog").to(device), (tensor.to(device) for tensor in batch(1))

    def work(half: bool) -> None:
        with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
            run(row, model, inputs, targets)

    full, half = fastest([lambda: work(False), lambda: work(True)], device, arguments.rounds, warm=False)
    times = f"{half:.2f} s, float32 {full:.2f} s, {full / half:.2f} times faster"
    print_row(f"{row} in bfloat16", times, "at least 1 to be on by default")


if __name__ == "__main__":
    main()
