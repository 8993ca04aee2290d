"""The same network, cases, budget and batch under PGD of ours, torchattacks and foolbox; and what they cannot do.

    python -m benchmarks.peers.attacks [--steps 20] [--cases 2] [--rounds 3] [--task data/stored/Task04_Hippocampus]

Their attacks are for images in [0, 1] with one label each. PGD averages a cross-entropy over whatever logits it gets,
so that it runs on volumes with a label per voxel, once the network takes inputs in [0, 1]. APGD, FAB, Square and
AutoAttack of torchattacks, and ART, are asked for the same; what they answer is a row.
"""

import argparse
import functools
import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.measuring import ROOT
from benchmarks.peers.rows import print_comparison, print_inability
from rogseg.attacks import APGD, PGD, DiceBelow, LinfThreat
from rogseg.attacks.foreground import case_dice
from rogseg.cases import Case, LogitFn
from rogseg.engine import load_zoo_model
from rogseg.metrics import mean_foreground_dice
from rogseg.storage import StoredTask
from rogseg.systems import StoredCases, crop_case, foreground_window

EPSILON = 8 / 255
NETWORK = "rog_standard_hippocampus_light"


@dataclass(frozen=True)
class Attacked:
    """One attack on one case: seconds, the passes that they went into, and the Dice that is left."""

    seconds: float
    passes: str
    dice: float


class InUnitBox(nn.Module):
    """A network of ours for inputs in [0, 1], one case's box as wide as theirs, and a count of its backward passes."""

    def __init__(self, model: LogitFn, case: Case) -> None:
        super().__init__()
        self.model, self.box, self.num_gradients = model, case.box, 0
        self.anchor = nn.Parameter(torch.zeros(()))  # they ask a parameter for the device

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of volumes in [0, 1]."""
        self.num_gradients += int(torch.is_grad_enabled() and inputs.requires_grad)
        return self.model(self.box.lower + inputs * self.box.width)


def patches(task: str, number: int, window: tuple[int, int, int]) -> list[Case]:
    """The first validation cases, the window around their foreground."""
    stored = StoredTask(task)
    source = StoredCases(stored, stored.folds(0).validation[:number])
    cases = []
    for case_id in source.case_ids:
        case = source.load(case_id)
        assert case.targets is not None
        cases.append(crop_case(case, foreground_window(case.targets[0], window)))
    return cases


def torchattacks_pgd(model: InUnitBox, steps: int) -> Callable[[Tensor, Tensor], Tensor]:
    """PGD with its own random start, and our step: 2.5 epsilon over the steps."""
    import torchattacks

    attack: Any = torchattacks.PGD(model, eps=EPSILON, alpha=2.5 * EPSILON / steps, steps=steps, random_start=True)
    return lambda inputs, targets: attack(inputs, targets)


def foolbox_pgd(model: InUnitBox, steps: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The same; its own cross-entropy takes one label per image, so that its loss is overridden, as it invites to."""
    import eagerpy
    import foolbox

    class VoxelPGD(foolbox.attacks.LinfPGD):
        def get_loss_fn(self, model: Any, labels: Any) -> Callable[[Any], Any]:
            def loss(inputs: Any) -> Any:
                summed = functional.cross_entropy(model(inputs).raw, labels.raw, reduction="sum")
                return eagerpy.astensor(summed)

            return loss

    return _foolbox(VoxelPGD(rel_stepsize=2.5 / steps, steps=steps, random_start=True), model)


def foolbox_as_it_is(model: InUnitBox) -> Callable[[Tensor, Tensor], Tensor]:
    """With its own loss."""
    import foolbox

    return _foolbox(foolbox.attacks.LinfPGD(steps=2), model)


def _foolbox(attack: Any, model: InUnitBox) -> Callable[[Tensor, Tensor], Tensor]:
    import foolbox

    wrapped: Any = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    # Called below its criterion, which wants one label per image.
    return lambda inputs, targets: attack.run(wrapped, inputs, foolbox.Misclassification(targets), epsilon=EPSILON)


def torchattacks_others(model: InUnitBox, name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Attacks of torchattacks that compare one label per image."""
    import torchattacks

    arguments: dict[str, Any] = {"n_classes": 3} if name == "AutoAttack" else {}
    attack: Any = getattr(torchattacks, name)(model, eps=EPSILON, **arguments)
    return lambda inputs, targets: attack(inputs, targets)


def art_pgd(model: InUnitBox, shape: tuple[int, ...]) -> Callable[[Tensor, Tensor], Tensor]:
    """ART's PGD on its classifier."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch
    from art.estimators.classification import PyTorchClassifier

    classifier: Any = PyTorchClassifier(model, nn.CrossEntropyLoss(), shape, 3, clip_values=(0, 1), device_type="cpu")
    attack: Any = ProjectedGradientDescentPyTorch(classifier, eps=EPSILON, eps_step=EPSILON / 4, max_iter=2)
    return lambda inputs, targets: torch.from_numpy(attack.generate(inputs.numpy(), targets.numpy()))


def version(package: str) -> str:
    """A peer and its version."""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cases", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="times that each case is attacked by each, in turn")
    parser.add_argument("--task", default=str(ROOT / "data/stored/Task04_Hippocampus"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    network = load_zoo_model(NETWORK)
    assert network.window_size is not None
    cases = patches(asked.task, asked.cases, network.window_size)
    work = f"PGD, {asked.steps} steps, {len(cases)} patches of hippocampus, 8/255"
    makers: dict[str, Callable[[InUnitBox], Callable[[Tensor, Tensor], Tensor]]] = {
        "torchattacks": lambda model: torchattacks_pgd(model, asked.steps),
        "foolbox": lambda model: foolbox_pgd(model, asked.steps),
    }
    for peer, make in makers.items():
        run = {
            "ours": lambda case: attacked(network.logits, case, asked.steps),
            "theirs": functools.partial(attacked_by, make, network.logits),
        }
        for attack in run.values():
            attack(cases[0])  # the first calls of a process are slow, whoever makes them
        parts: dict[str, list[Attacked]] = {name: [] for name in run}
        for case in cases * asked.rounds:
            for name, attack in run.items():
                parts[name].append(attack(case))
        ratio = median(one.seconds / other.seconds for one, other in zip(*parts.values(), strict=True))
        seconds, their_seconds = (median(part.seconds for part in of) for of in parts.values())
        passes, their_passes = (of[0].passes for of in parts.values())
        print(f"{version(peer)}: ratio of the median pair {ratio:.3f}; passes: ours {passes}, theirs {their_passes}")
        print_comparison(f"{work}: a patch", version(peer), seconds, their_seconds, "s", "at most 1.05")
        dice, their_dice = (sum(part.dice for part in of) / len(of) for of in parts.values())
        print_comparison(f"{work}: Dice that is left", version(peer), dice, their_dice, "", "at most 1")
    stronger = [attacked(network.logits, case, asked.steps, strong=True).dice for case in cases]
    print(f"APGD of ours on Dice, as many steps: Dice {sum(stronger) / len(cases):.3f}")
    shape = tuple(cases[0].inputs.shape[1:])
    unable: dict[str, tuple[str, Callable[[InUnitBox], Callable[[Tensor, Tensor], Tensor]]]] = {
        name: ("torchattacks", functools.partial(torchattacks_others, name=name))
        for name in ("APGD", "FAB", "Square", "AutoAttack")
    }
    unable["LinfPGD with its own loss"] = ("foolbox", foolbox_as_it_is)
    unable["PGD of ART"] = ("adversarial-robustness-toolbox", lambda model: art_pgd(model, shape))
    for name, (peer, make) in unable.items():
        try:
            print(f"{name} of {peer} ran: Dice {attacked_by(make, network.logits, cases[0]).dice:.3f}")
        except (AssertionError, ImportError, IndexError, RuntimeError, TypeError, ValueError) as error:
            print_inability(
                f"{name} on a volume with a label per voxel", version(peer), f"{type(error).__name__}: {error}"
            )


def attacked(model: LogitFn, case: Case, steps: int, *, strong: bool = False) -> Attacked:
    """Ours; it passes forward twice more: for the last iterate, and to measure what it hands back."""
    attack = (
        APGD(objective={"type": "SoftDice"}, num_iterations=steps)
        if strong
        else PGD(objective={"type": "CrossEntropy"}, num_iterations=steps, step_size=2.5 / steps)
    )
    assert case.targets is not None
    threat = LinfThreat.from_fraction(EPSILON, case.box)
    generator = torch.Generator().manual_seed(0)
    result = attack(model, case.inputs, case.targets, threat, DiceBelow(0.0), generator=generator)
    passes = f"{result.num_forward} forward and {result.num_backward} backward"
    return Attacked(result.seconds, passes, result.mean_dice.item())


def attacked_by(
    make: Callable[[InUnitBox], Callable[[Tensor, Tensor], Tensor]], model: LogitFn, case: Case
) -> Attacked:
    """The same of a peer, whose volume is held against the same ball and box."""
    assert case.targets is not None
    wrapped, unit = InUnitBox(model, case), (case.inputs - case.box.lower) / case.box.width
    unit = unit.clamp(0, 1)
    torch.manual_seed(0)
    attack = make(wrapped.eval())
    begin = time.perf_counter()
    made = attack(unit, case.targets)
    seconds = time.perf_counter() - begin
    assert float((made - unit).abs().max()) <= EPSILON + 1e-6
    with torch.no_grad():
        dice = mean_foreground_dice(case_dice(wrapped(made).float(), case.targets))
    return Attacked(seconds, f"{wrapped.num_gradients} forward and backward", float(dice))


if __name__ == "__main__":
    main()
