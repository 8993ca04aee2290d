"""What APGD costs beyond the passes through the network that it cannot do without.

Two ratios in one run: wall time over that of as many bare forward and backward passes, and peak memory over that of one
bare forward and backward pass, model and batch included in both. On a GPU memory is the allocator's peak; on a CPU it
is the sum of the tensors alive, followed operation by operation.

    python -m benchmarks.bench_attack_overhead [--device cuda] [--patch 64 64 64] [--channels 16] [--iterations 20]
"""

import argparse
import gc
import time
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rogseg.attacks import APGD, DiceBelow, IntensityBox, LinfThreat

MAX_TIME_RATIO = 1.10
MAX_MEMORY_RATIO = 1.30


class LiveTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all storages that live, and their peak, whatever device they are on."""

    def __init__(self, known: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.storages: dict[int, int] = {}
        self.current = self.peak = 0
        for tensor in known:
            self.follow(tensor)

    def follow(self, tensor: Tensor) -> None:
        """Count a tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.storages:
            return
        self.storages[key] = size
        self.current += size
        self.peak = max(self.peak, self.current)
        weakref.finalize(storage, self.forget, key)

    def forget(self, key: int) -> None:
        """A storage was freed."""
        self.current -= self.storages.pop(key, 0)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation and follow what it returns."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self.follow(leaf)
        return result


def network(num_channels: int, num_classes: int, width: int) -> nn.Sequential:
    """A small stand-in for a segmentation network; real ones keep far more activations per voxel."""
    layers: list[nn.Module] = [nn.Conv3d(num_channels, width, 3, padding=1)]
    for _ in range(3):
        layers += [nn.InstanceNorm3d(width), nn.LeakyReLU(), nn.Conv3d(width, width, 3, padding=1)]
    return nn.Sequential(*layers, nn.InstanceNorm3d(width), nn.LeakyReLU(), nn.Conv3d(width, num_classes, 1))


def bare_pass(model: nn.Module, inputs: Tensor, targets: Tensor, *, backward: bool = True) -> None:
    """One forward pass, and one backward pass to the inputs."""
    with torch.set_grad_enabled(backward):
        leaf = inputs.detach().requires_grad_(backward)
        loss = nn.functional.cross_entropy(model(leaf), targets)
    if backward:
        torch.autograd.grad(loss, leaf)


def seconds(task: Callable[[], object], device: torch.device) -> float:
    """Wall time of a call, the device's work included."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    task()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def peak_bytes(task: Callable[[], object], known: list[Tensor], device: torch.device) -> int:
    """Most bytes of tensors alive at once during a call."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        task()
        return torch.cuda.max_memory_allocated()
    with LiveTensors(known) as live:
        task()
    return live.peak


def main() -> None:
    """Measure and print both ratios; exit with an error where one is over its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--patch", type=int, nargs=3, default=[48, 48, 48])
    parser.add_argument("--channels", type=int, default=1, help="input channels")
    parser.add_argument("--cases", type=int, default=1, help="cases in the batch")
    parser.add_argument("--width", type=int, default=16, help="features of the network")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    device = torch.device(args.device)
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    model = network(args.channels, 3, args.width).to(device).eval().requires_grad_(False)
    inputs = (2 * torch.rand(args.cases, args.channels, *args.patch, generator=generator) - 1).to(device)
    targets = torch.randint(3, (args.cases, *args.patch), generator=generator).to(device)
    threat = LinfThreat.from_fraction(8 / 255, IntensityBox.per_channel([-1.0] * args.channels, [1.0] * args.channels))
    apgd = APGD(num_iterations=args.iterations)

    def attack() -> None:
        apgd(model, inputs, targets, threat, DiceBelow(0.4), generator=torch.Generator().manual_seed(0))

    def bare() -> None:
        for _ in range(args.iterations):
            bare_pass(model, inputs, targets)
        for _ in range(2):  # the last iterate and the final evaluation
            bare_pass(model, inputs, targets, backward=False)

    bare_pass(model, inputs, targets)  # warm up
    pairs = [(seconds(attack, device), seconds(bare, device)) for _ in range(args.repeats)]
    # The shortest of each: what else runs on the machine can only add.
    time_ratio = min(one for one, _ in pairs) / min(other for _, other in pairs)
    known = [inputs, targets, *model.parameters()]
    attack_peak = peak_bytes(attack, known, device)
    bare_peak = peak_bytes(lambda: bare_pass(model, inputs, targets), known, device)
    memory_ratio = attack_peak / bare_peak
    print(f"wall time of APGD over its passes: {time_ratio:.3f} (bound {MAX_TIME_RATIO})")
    print(f"peak memory over one pass: {memory_ratio:.3f} (bound {MAX_MEMORY_RATIO}; {bare_peak / 2**20:.0f} MiB bare)")
    if time_ratio > MAX_TIME_RATIO or memory_ratio > MAX_MEMORY_RATIO:
        raise SystemExit("APGD is over a bound")


if __name__ == "__main__":
    main()
