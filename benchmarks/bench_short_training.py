"""The Dice that ROG and plain ROG reach by the same short training: ``python -m benchmarks.bench_short_training``.

The cases are noisy volumes with one bright and one dark ball, drawn from a seed; both networks start from the same
parameters and see the same batches.
"""

import argparse

import torch
from torch import Tensor, nn

from benchmarks.bench_rog import make
from benchmarks.rows import print_row
from rogseg.models import CrossEntropyLoss, DiceLoss

SIDE, NUM_TEST = 16, 16
MAX_DIFFERENCE = 0.02


def draw(cases: int, seed: int) -> tuple[Tensor, Tensor]:
    """Inputs (cases, 1, 16, 16, 16) and targets with classes 0, 1, 2."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.arange(SIDE, dtype=torch.float32)
    grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"))
    targets = torch.zeros(cases, SIDE, SIDE, SIDE, dtype=torch.long)
    for target in targets:
        for label in (1, 2):
            centre = 4 + 8 * torch.rand(3, generator=generator)
            radius = 2.5 + 1.5 * torch.rand(1, generator=generator)
            target[(grid - centre[:, None, None, None]).norm(dim=0) < radius] = label
    levels = torch.tensor([0.0, 1.0, -1.0])[targets]
    return (levels + 0.7 * torch.randn(targets.shape, generator=generator))[:, None], targets


def mean_dice(model: nn.Module) -> float:
    inputs, targets = draw(NUM_TEST, seed=10**6)
    with torch.no_grad():
        predicted = model(inputs).argmax(1)
    scores = [
        2 * ((predicted == label) & (targets == label)).sum() / ((predicted == label).sum() + (targets == label).sum())
        for label in (1, 2)
    ]
    return float(torch.stack(scores).mean())


def trained(kind: str, steps: int) -> nn.Module:
    model, losses = make(kind), (DiceLoss(), CrossEntropyLoss())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(steps):
        inputs, targets = draw(2, seed=step)
        optimizer.zero_grad()
        logits = model(inputs)
        total: Tensor = losses[0](logits, targets) + losses[1](logits, targets)
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    steps = parser.parse_args().steps
    ours, plain = (mean_dice(trained(kind, steps)) for kind in ("rog", "plain"))
    difference = f"Dice {ours:.3f}, plain {plain:.3f}, difference {abs(ours - plain):.3f}"
    print_row(f"after {steps} steps", difference, f"at most {MAX_DIFFERENCE}")


if __name__ == "__main__":
    main()
