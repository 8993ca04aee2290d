"""A training step: of nnU-Net's network by ours, by plain PyTorch and by nnU-Net's trainer; of ROG against its limit.

    python -m benchmarks.peers.training [--folder TRAINER__PLANS__CONFIGURATION] [--rounds 5]

nnU-Net's network of the folder's plans, a mini-batch of its patches, Dice and cross-entropy under deep supervision and
one step of the optimiser, whose kinds differ. The limit of ROG is what the machine needs for the multiplications and
the traffic of a step that were counted by hand, at the speed that it multiplies matrices and copies memory here.
"""

import argparse
import contextlib
import copy
import importlib.metadata
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from benchmarks.bench_rog import PATCH, batch, make, run
from benchmarks.measuring import fastest
from benchmarks.peers.rows import print_comparison
from rogseg.cases import Batch, IntensityBox
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.models import Segmentor
from rogseg.registry import TRAINERS

STEP_GMAC, STEP_GB = 80, 7  # ROG, hippocampus plan, 4 patches: the three convolutions of each layer, and its tensors
FORWARD_SHARE = 1 / 3
MATRIX, COPIED = 2048, 256 * 2**20


def ours(patch: list[int], spacing: list[float], inputs: Tensor, targets: Tensor) -> Callable[[], object]:
    """A step of `StandardTrainer` with Adam, as the configs train it."""
    model = Segmentor(
        {
            "type": "PlainConvUNet",
            "in_channels": 1,
            "num_classes": 3,
            "patch_size": patch,
            "spacing": spacing,
        },
        {"type": "LogitPyramidHead", "num_classes": 3},
        losses=[{"type": "DiceLoss"}, {"type": "CrossEntropyLoss"}],
    )
    optimiser = OptimWrapper(torch.optim.Adam(model.parameters(), 1e-3, weight_decay=1e-5, amsgrad=True))
    trainer = TRAINERS.build({"type": "StandardTrainer"})
    names, box = tuple(map(str, range(len(inputs)))), IntensityBox.per_channel([-5.0], [5.0])
    given = Batch(names, inputs, targets, box, torch.ones_like(targets, dtype=torch.bool)[:, None])
    print(f"parameters: ours {sum(parameter.numel() for parameter in model.parameters())}")
    return lambda: trainer.step(model.train(), given, optimiser)


def plain(network: nn.Module, inputs: Tensor, targets: Tensor) -> Callable[[], object]:
    """The same network, cross-entropy and soft Dice at each level in a loop anybody would write."""
    optimiser = torch.optim.Adam(network.parameters(), 1e-3, weight_decay=1e-5, amsgrad=True)

    def step() -> None:
        optimiser.zero_grad()
        total = inputs.new_zeros(())
        for level, logits in enumerate(network(inputs)):
            small = targets[:, :: 2**level, :: 2**level, :: 2**level]
            probability = logits.softmax(1)
            truth = nn.functional.one_hot(small, logits.shape[1]).movedim(-1, 1)
            both = (probability * truth).sum((2, 3, 4))
            dice = 2 * both / (probability.sum((2, 3, 4)) + truth.sum((2, 3, 4)) + 1e-5)
            total = total + (nn.functional.cross_entropy(logits, small) + 1 - dice.mean()) / 2**level
        total.backward()
        optimiser.step()

    network.train()
    return step


def nnunet_trainer(plans: dict[str, Any], dataset: dict[str, Any], work: Path) -> Any:
    """nnU-Net's own, with its network, loss and optimiser made and nothing loaded."""
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        (work / name).mkdir()
        os.environ[name] = str(work / name)
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    with contextlib.redirect_stdout(io.StringIO()):
        stored = work / "nnUNet_preprocessed" / plans["dataset_name"] / "nnUNetPlans_3d_fullres"
        stored.mkdir(parents=True)
        (stored / "case.npz").touch()  # it asks how cases are stored, and loads none before it trains
        # On a CPU it does not compile its network.
        trainer = nnUNetTrainer({**plans, "continue_training": False}, "3d_fullres", 0, dataset, torch.device("cpu"))
        trainer.initialize()
    trainer.network.train()
    return trainer


def compare_nnunet(folder: Path, cases: int, rounds: int) -> None:
    plans, dataset = (json.loads((folder / name).read_text()) for name in ("plans.json", "dataset.json"))
    patch, spacing = (plans["configurations"]["3d_fullres"][key] for key in ("patch_size", "spacing"))
    inputs, targets = torch.randn(cases, 1, *patch), torch.randint(3, (cases, *patch))
    with tempfile.TemporaryDirectory() as work:
        trainer = nnunet_trainer(plans, dataset, Path(work))
        print(f"parameters: nnU-Net {sum(parameter.numel() for parameter in trainer.network.parameters())}")
        levels = [targets[:, None, :: 2**level, :: 2**level, :: 2**level] for level in range(3)]
        calls = {
            "ours": ours(patch, spacing, inputs, targets),
            "plain PyTorch": plain(copy.deepcopy(trainer.network), inputs, targets),
            f"nnU-Net {importlib.metadata.version('nnunetv2')}": lambda: trainer.train_step(
                {"data": inputs, "target": levels}
            ),
        }
        times = dict(zip(calls, fastest(list(calls.values()), "cpu", rounds), strict=True))
    for peer in list(times)[1:]:
        work_done = f"training step of nnU-Net's network, {cases} patches of {'x'.join(map(str, patch))}"
        print_comparison(work_done, peer, times["ours"], times[peer], "s", "")


def compare_rog(rounds: int, threads: int) -> None:
    """Against the limit on paper, at this machine's own speeds."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    model, (inputs, targets) = make("rog"), batch(4)
    one, other = torch.randn(2, MATRIX, MATRIX)
    source, sink = torch.zeros(COPIED, dtype=torch.uint8), torch.zeros(COPIED, dtype=torch.uint8)
    product, copied, step, forward = fastest(
        [
            lambda: one @ other,
            lambda: sink.copy_(source),
            lambda: run("training step", model, inputs, targets),
            lambda: run("forward", model, inputs, targets),
        ],
        "cpu",
        rounds,
    )
    rate, bandwidth = MATRIX**3 / product / 1e9, 2 * COPIED / copied / 1e9
    print(f"this machine, {threads} threads: {rate:.0f} GMAC/s in products of matrices, {bandwidth:.1f} GB/s copied")
    limit = STEP_GMAC / rate + STEP_GB / bandwidth
    work = f"ROG, 4 patches of {'x'.join(map(str, PATCH))}"
    print_comparison(f"{work}: training step", "its limit on paper", step, limit, "s", "at most 1.3")
    print_comparison(f"{work}: forward", "its limit on paper", forward, limit * FORWARD_SHARE, "s", "at most 1.2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="a trained nnU-Net; without it, ROG alone")
    parser.add_argument("--cases", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if asked.folder is not None:
        compare_nnunet(asked.folder, asked.cases, asked.rounds)
    compare_rog(asked.rounds, threads=os.cpu_count() or 1)


if __name__ == "__main__":
    main()
