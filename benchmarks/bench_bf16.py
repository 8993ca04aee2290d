"""Autocast to bfloat16 against float32: ``python -m benchmarks.bench_bf16 [--device cuda] [--threads 2]``.

A CPU without bfloat16 instructions emulates them; there autocast is off by default, and this says by how much it loses.
"""

import argparse
import time

import torch

from benchmarks.bench_rog import batch, make, run, synchronize


def seconds(row: str, device: str, half: bool) -> float:
    model, (inputs, targets) = make("rog").to(device), (tensor.to(device) for tensor in batch(1))
    clock = time.process_time if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    times = []
    for _ in range(2):
        synchronize(device)
        start = clock()
        with torch.autocast(device, dtype=torch.bfloat16, enabled=half):
            run(row, model, inputs, targets)
        synchronize(device)
        times.append(clock() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    # A training step would take minutes where bfloat16 is emulated; the forward pass says enough there.
    row = "forward" if arguments.device == "cpu" else "training step"
    full, half = (seconds(row, arguments.device, flag) for flag in (False, True))
    times = f"{half:.2f} s, float32 {full:.2f} s, {full / half:.2f} times faster"
    print(f"{row} in bfloat16: {times} (at least 1 to be on by default)")


if __name__ == "__main__":
    main()
