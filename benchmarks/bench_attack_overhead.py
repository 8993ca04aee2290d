"""What APGD costs beyond the passes through the network that it cannot do without.

Two ratios in one run: wall time over that of as many bare forward and backward passes, and peak memory over that of one
bare forward and backward pass, model and batch included in both. On a GPU memory is the allocator's peak; on a CPU it
is the sum of the tensors alive, followed operation by operation.

    python -m benchmarks.bench_attack_overhead [--device cuda] [--patch 64 64 64] [--channels 16] [--iterations 20]
"""

import argparse

import torch
from torch import Tensor, nn

from benchmarks.live_tensors import peak_bytes
from benchmarks.measuring import fastest
from benchmarks.rows import print_row
from rogseg.attacks import APGD, DiceBelow, LinfThreat
from rogseg.cases import IntensityBox

MAX_TIME_RATIO = 1.10
MAX_MEMORY_RATIO = 1.30


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


def main() -> None:
    """Measure and print both ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--patch", type=int, nargs=3, default=[48, 48, 48])
    parser.add_argument("--channels", type=int, default=1, help="input channels")
    parser.add_argument("--cases", type=int, default=1, help="cases in the batch")
    parser.add_argument("--width", type=int, default=16, help="features of the network")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
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

    attack_time, bare_time = fastest([attack, bare], device, args.repeats)
    row = f"{attack_time:.2f} s, bare {bare_time:.2f} s, ratio {attack_time / bare_time:.3f}"
    print_row("wall time of APGD over its passes", row, f"at most {MAX_TIME_RATIO}")
    known = [inputs, targets, *model.parameters()]
    attack_peak = peak_bytes(attack, known, device)
    bare_peak = peak_bytes(lambda: bare_pass(model, inputs, targets), known, device)
    sizes = f"{attack_peak / 2**20:.0f} MiB, bare {bare_peak / 2**20:.0f} MiB, ratio {attack_peak / bare_peak:.3f}"
    print_row("peak memory of APGD over one pass", sizes, f"at most {MAX_MEMORY_RATIO}")


if __name__ == "__main__":
    main()
