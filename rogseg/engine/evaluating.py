"""evaluate_system: accuracy, the attacks that fit into a time, and the report; it goes on when it is called again."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import CrossEntropy
from rogseg.cases import LogitFn
from rogseg.engine.accuracy.segment_command import segment_cases
from rogseg.engine.attacking.attack_command import attack_system
from rogseg.engine.attacking.robustness import evaluated_case
from rogseg.engine.case_finding import cases_to_attack
from rogseg.engine.case_selection import spread
from rogseg.engine.device import choose_device
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.open_system import open_system
from rogseg.engine.reporting import report_on
from rogseg.foreign import read_json
from rogseg.shipped_configs import find_config
from rogseg.storage import write_json_atomic
from rogseg.systems import Protocol

__all__ = ["EvaluationPlan", "PlannedAttack", "evaluate_system", "plan_attacks"]

EPSILONS = ("2/255", "4/255", "8/255")
FEWEST_CASES = 3
# Accuracy, the sanity checks and the report take the rest.
SHARE_OF_ATTACKS = 0.75
PLAN = "plan.json"


@dataclasses.dataclass(frozen=True)
class PlannedAttack:
    """An attack of the evaluation: a shipped config, its options, its epsilons and the passes that a case takes."""

    name: str
    options: tuple[str, ...]
    epsilons: tuple[str, ...]
    passes: int


CURVE = PlannedAttack("apgd_ce", ("attack.num_iterations=20",), EPSILONS, 20 * len(EPSILONS))
ENSEMBLE = PlannedAttack("segmentation_ensemble", (), ("8/255",), 400)
# Of a system without a gradient; a query is a forward pass.
QUERIES = PlannedAttack("square_dice", ("attack.num_queries=500",), EPSILONS, 500 * len(EPSILONS))


@dataclasses.dataclass(frozen=True)
class EvaluationPlan:
    """What fits: the attacks, each with its number of cases, and the seconds of a pass that this was reckoned with."""

    attacks: tuple[tuple[PlannedAttack, int], ...]
    seconds_per_pass: float


def plan_attacks(
    seconds_per_pass: float, num_cases: int, minutes: float, *, differentiable: bool = True
) -> EvaluationPlan:
    """As many cases as fit for a curve over epsilon, and the ensemble where it fits, too.

    Args:
        seconds_per_pass: of a forward pass of one case, with the backward pass where there is one.
        num_cases: that there are.
        minutes: for everything.
        differentiable: whether the system has a gradient; without, the curve is that of an attack by queries.

    Raises:
        ValueError: not even one case fits.
    """
    passes = minutes * 60 * SHARE_OF_ATTACKS / seconds_per_pass
    with_both = int(passes // (CURVE.passes + ENSEMBLE.passes))
    if differentiable and with_both >= FEWEST_CASES:
        chosen = min(with_both, num_cases)
        return EvaluationPlan(((CURVE, chosen), (ENSEMBLE, chosen)), seconds_per_pass)
    curve = CURVE if differentiable else QUERIES
    alone = int(passes // curve.passes)
    if alone < 1:
        needed = curve.passes * seconds_per_pass / SHARE_OF_ATTACKS / 60
        raise ValueError(
            f"--minutes {minutes:g} is too little: one pass of a case takes {seconds_per_pass:.3g} s here, and the "
            f"smallest evaluation {needed:.1f} minutes; give more, or take --protocol patch"
        )
    return EvaluationPlan(((curve, min(alone, num_cases)),), seconds_per_pass)


def evaluate_system(
    system: Sequence[str | Path],
    out: Path,
    *,
    minutes: float,
    data: Path | None = None,
    task: Path | None = None,
    protocol: Protocol = "volume",
    device: str | None = None,
    allow_seen: bool = False,
    trust: bool = False,
) -> None:
    """See ``rogseg evaluate --help``; what is finished in ``out`` is not done again.

    Raises:
        ValueError: something in the arguments or files is wrong, or the time is too short for anything.
    """
    device = str(choose_device(device))
    if device == "cpu":
        keep_freed_memory()
    opened = open_system(system, device=device, task_dir=task, trust=trust)
    source = cases_to_attack(opened, data=data, task=task)
    if (out / PLAN).is_file():
        plan = _read_plan(out / PLAN)
    else:
        case = evaluated_case(source, spread(source.case_ids, 1, 0)[0], opened.system, protocol).to(device)
        assert case.targets is not None, "only labelled cases are evaluated"
        differentiable = opened.system.differentiable
        seconds = _seconds_per_pass(opened.system.model, case.inputs, case.targets, differentiable)
        plan = plan_attacks(seconds, len(source.case_ids), minutes, differentiable=differentiable)
        write_json_atomic(out / PLAN, dataclasses.asdict(plan))
    print(f"a pass of a case takes {plan.seconds_per_pass:.3g} s here; in {minutes:g} minutes:", flush=True)
    for attack, num_cases in plan.attacks:
        at, cost = ", ".join(attack.epsilons), attack.passes * num_cases * plan.seconds_per_pass / 60
        print(f"  {attack.name} at {at} on {num_cases} cases, about {cost:.1f} minutes", flush=True)
    folders = [out / attack.name for attack, _ in plan.attacks]
    most = max(num_cases for _, num_cases in plan.attacks)
    if data is not None or opened.config is not None:
        cases = spread(source.case_ids, most, 0)
        raw = data or (Path(opened.config.data_root) / source.task if opened.config is not None else None)
        if raw is not None and (raw / "dataset.json").is_file():
            segment_cases(
                system,
                out / "accuracy",
                cases=cases,
                data=raw,
                task=task,
                device=device,
                allow_seen=allow_seen,
                trust=trust,
            )
            folders.insert(0, out / "accuracy")
    for (attack, num_cases), folder in zip(plan.attacks, folders[-len(plan.attacks) :], strict=True):
        attack_system(
            system,
            find_config(attack.name, "attack"),
            epsilon=attack.epsilons,
            attack_options=attack.options,
            protocol=protocol,
            data=data,
            task=task,
            max_cases=num_cases,
            out=folder,
            device=device,
            allow_seen=allow_seen,
            trust=trust,
        )
    report_on([str(folder) for folder in folders], out)


def _seconds_per_pass(model: LogitFn, inputs: torch.Tensor, targets: torch.Tensor, differentiable: bool) -> float:
    seconds = []
    for _ in range(2):  # the first warms up
        begin = time.perf_counter()
        if differentiable:
            value_and_gradient(model, CrossEntropy(), inputs, targets)
        else:
            model(inputs)
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def _read_plan(path: Path) -> EvaluationPlan:
    content = read_json(path, "remove it or give another --out")
    try:
        attacks = tuple(
            (PlannedAttack(one["name"], tuple(one["options"]), tuple(one["epsilons"]), one["passes"]), number)
            for one, number in content["attacks"]
        )
        return EvaluationPlan(attacks, content["seconds_per_pass"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not the plan of an evaluation ({error}); remove it or give another --out") from error
