"""evaluate_system: accuracy, attacks and corruptions that fit into a time, and the report; called again, it goes on."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import CrossEntropy
from rogseg.engine.accuracy.segment_command import segment_cases
from rogseg.engine.attacking.attack_command import attack_system
from rogseg.engine.attacking.evaluated_case import evaluated_case
from rogseg.engine.case_finding import cases_to_attack, cases_to_test
from rogseg.engine.case_selection import spread
from rogseg.engine.console import make_console
from rogseg.engine.corrupting.corrupt_command import corrupt_system
from rogseg.engine.corrupting.raw_scan import modalities_of
from rogseg.engine.corrupting.settings import CorruptionSettings
from rogseg.engine.evaluation_plan import (
    EvaluationPlan,
    PlannedCorruptions,
    Request,
    plan_attacks,
    plan_corruptions,
    read_plan,
)
from rogseg.engine.model.open_system import OpenedSystem, leak_of, open_system
from rogseg.engine.raw_files import raw_task_for, refuse_other_files
from rogseg.engine.reporting import report_on
from rogseg.estimation.timed_passes import fastest_seconds
from rogseg.report import refuse_folder_of_others
from rogseg.shipped_configs import find_config
from rogseg.storage import write_json_atomic
from rogseg.systems import CaseSource, Protocol

__all__ = ["cheaper_ways", "evaluate_system"]

PLAN = "plan.json"
CORRUPTIONS = "corruptions"


def evaluate_system(
    system: Sequence[str | Path],
    out: Path,
    *,
    minutes: float,
    data: Path | None = None,
    task: Path | None = None,
    protocol: Protocol = "volume",
    cases: Sequence[str] | None = None,
    seed: int = 0,
    case_seed: int = 0,
    device: str | None = None,
    allow_seen: bool = False,
    trust: bool = False,
    cfg_options: Sequence[str] = (),
) -> None:
    """See ``rogseg evaluate --help``; what is finished in ``out`` is not done again.

    Raises:
        ValueError: something in the arguments or files is wrong, the time is too short for anything, or ``out`` holds
            an evaluation that was asked for otherwise.
    """
    refuse_folder_of_others(out)  # where the report goes in the end
    console = make_console()
    request = Request(minutes, protocol, tuple(cases or ()), seed, case_seed, tuple(cfg_options))
    if (out / PLAN).is_file():
        plan, begun_with = read_plan(out / PLAN)
        request.refuse_other(begun_with, out / PLAN)
    opened = open_system(system, device=device, task_dir=task, overrides=cfg_options, trust=trust)
    source = cases_to_attack(opened, data=data, task=task, cases=cases)
    raw = _raw_folder(opened, data)
    if not (out / PLAN).is_file():
        plan = _plan(opened, source, request, protocol)
        if raw is not None:
            planned = _plan_corruptions(opened, source, request, raw, task, plan.num_cases)
            plan = dataclasses.replace(plan, corruptions=planned)
    chosen = spread(source.case_ids, plan.num_cases, case_seed)
    if raw is not None and data is None:  # what is attacked and what is measured must be the same cases
        refuse_other_files(opened, raw_task_for(opened, raw), chosen, task)
    leak_of(opened, chosen, source.task, allow_seen=allow_seen)  # what is refused is refused before the work
    for line in plan.lines(minutes, accuracy=raw is not None):
        console.print(line, soft_wrap=True)
    write_json_atomic(out / PLAN, {"plan": dataclasses.asdict(plan), "request": dataclasses.asdict(request)})
    shared = {"device": device, "task": task, "allow_seen": allow_seen, "cfg_options": cfg_options, "trust": trust}
    parts, folders = _Parts(plan, raw is not None, console), []
    if raw is not None:
        parts.announce("accuracy on the raw grid")
        segment_cases(system, out / "accuracy", cases=chosen, data=raw, **shared)  # type: ignore[arg-type]
        folders.append(out / "accuracy")
    for attack, num_cases in plan.attacks:
        parts.announce(attack.name)
        attack_system(
            system,
            find_config(attack.name, "attack"),
            epsilon=attack.epsilons,
            attack_options=attack.options,
            protocol=protocol,
            data=data,
            cases=cases,
            max_cases=num_cases,
            case_seed=case_seed,
            seed=seed,
            out=out / attack.name,
            **shared,  # type: ignore[arg-type]
        )
        folders.append(out / attack.name)
    if raw is not None and plan.corruptions is not None:
        parts.announce(CORRUPTIONS)
        some = spread(chosen, plan.corruptions.num_cases, case_seed)
        corrupt_system(
            system,
            out / CORRUPTIONS,
            severity=plan.corruptions.severities,
            cases=some,
            data=raw,
            seed=seed,
            **shared,  # type: ignore[arg-type]
        )
        folders.append(out / CORRUPTIONS)
    parts.announce("report")
    report_on([str(folder) for folder in folders], out)


class _Parts:
    """Says which part of how many begins, and what all that is left was planned to take."""

    def __init__(self, plan: EvaluationPlan, accuracy: bool, console: Console) -> None:
        self.console = console
        costs = [(attack.name, plan.minutes_of(attack, number)) for attack, number in plan.attacks]
        if plan.corruptions is not None:
            costs.append((CORRUPTIONS, plan.corruptions.minutes))
        self.left = [*([("accuracy on the raw grid", 0.0)] if accuracy else []), *costs, ("report", 0.0)]
        self.number, self.total = 0, len(self.left)

    def announce(self, name: str) -> None:
        """The next part begins."""
        minutes = sum(cost for _, cost in self.left[self.number :])
        self.number += 1
        tail = f", what is left takes about {minutes:.1f} minutes" if minutes else ""
        self.console.print(f"\n== {self.number} of {self.total}: {name}{tail}", soft_wrap=True)


def cheaper_ways(protocol: str, options: Mapping[str, Any]) -> str:
    """What else than more time can be given, as the end of a sentence; empty where there is nothing.

    Args:
        protocol: that was asked for.
        options: of the system's identity.
    """
    ways = [", or take --protocol patch"] if protocol != "patch" else []
    if options.get("mirrored_axes"):
        ways.append(", or --cfg-options mirroring=False, which is another system without the mirrored copies")
    return "".join(ways)


def _plan(opened: OpenedSystem, source: CaseSource, request: Request, protocol: Protocol) -> EvaluationPlan:
    case_id = spread(source.case_ids, 1, request.case_seed)[0]
    case = evaluated_case(source, case_id, opened.system, protocol).to(opened.device)
    targets = case.targets
    assert targets is not None, "only labelled cases are evaluated"

    @torch.no_grad()
    def forward() -> None:
        opened.system.model(case.inputs)

    def forward_and_backward() -> None:
        value_and_gradient(opened.system.model, CrossEntropy(), case.inputs, targets)

    return plan_attacks(
        fastest_seconds(forward_and_backward if opened.system.differentiable else forward, opened.device),
        len(source.case_ids),
        request.minutes,
        differentiable=opened.system.differentiable,
        cheaper=cheaper_ways(protocol, opened.system.identity.options),
    )


def _plan_corruptions(
    opened: OpenedSystem, source: CaseSource, request: Request, raw: Path, task: Path | None, num_cases: int
) -> PlannedCorruptions | None:
    case_id = spread(source.case_ids, 1, request.case_seed)[0]
    case = cases_to_test(opened, [case_id], data=raw, task=task).cases[0]
    begin = time.perf_counter()
    opened.system.segment(opened.system.prepare(dataclasses.replace(case, label=None)))
    seconds = time.perf_counter() - begin
    applicable = CorruptionSettings.choose(modalities_of(opened.system)).chosen
    return plan_corruptions(seconds, len(applicable), num_cases, request.minutes)


def _raw_folder(opened: OpenedSystem, data: Path | None) -> Path | None:
    """The folder of the raw task, where there is one: accuracy is measured on its grid."""
    raw = data or opened.raw_folder
    return raw if raw is not None and (raw / "dataset.json").is_file() else None
