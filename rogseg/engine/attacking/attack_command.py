"""What the command ``attack`` does: open a system, find its cases, attack them and report."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from rogseg.attacks.sanity_checks import Effort
from rogseg.engine.attacking.attack_worker import AttackWorker, SavedFiles, carried_cases
from rogseg.engine.attacking.reporting import write_report
from rogseg.engine.attacking.robustness import Evaluation, evaluate_robustness, evaluated_case
from rogseg.engine.attacking.sanity import check_surrogate
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.threats import ThreatFactory
from rogseg.engine.case_finding import cases_to_attack, reference_width
from rogseg.engine.case_selection import parse_shard, shard_of, spread
from rogseg.engine.console import make_console
from rogseg.engine.device import choose_device, num_gpus
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.leak import leak_of
from rogseg.engine.model.open_system import open_system
from rogseg.engine.system_opening import SystemNames
from rogseg.evaluation.identity import CaseSelection
from rogseg.progress import ProgressDisplay
from rogseg.systems import Protocol
from rogseg.workers import open_workers

__all__ = ["attack_system"]


def attack_system(
    system: Sequence[str | Path],
    attack: str | Path,
    *,
    epsilon: Sequence[str] | None = None,
    protocol: Protocol = "volume",
    data: str | Path | None = None,
    task: str | Path | None = None,
    cases: Sequence[str] | None = None,
    max_cases: int | None = None,
    case_seed: int = 0,
    shard: str = "1/1",
    reference: str | Path | None = None,
    out: str | Path | None = None,
    save_adversarial: bool = False,
    seed: int = 0,
    surrogate: Sequence[str] | None = None,
    sanity: Effort = "quick",
    allow_seen: bool = False,
    keep_volumes: int = 2,
    max_passes: int | None = None,
    max_minutes: float | None = None,
    num_workers: int | None = None,
    cluster: str | None = None,
    device: str | None = None,
    cfg_options: Sequence[str] = (),
    attack_options: Sequence[str] = (),
) -> Evaluation:
    """Attack the validation cases of a fold, or the given ones, and report; see ``rogseg attack --help``.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, wanted = make_console(), device
    settings = AttackSettings.load(attack, attack_options, epsilon, max_passes=max_passes, max_minutes=max_minutes)
    device = str(choose_device(device))
    if device == "cpu":
        keep_freed_memory()
    opened = open_system(system, device=device, task_dir=task, overrides=cfg_options)
    # What is known to be wrong is refused before hours of work.
    other = None if surrogate is None else open_system(_named(surrogate, system), device=device, task_dir=task)
    source = cases_to_attack(opened, data=data, task=task, cases=cases)
    evaluated = spread(source.case_ids, max_cases, case_seed)
    width, parts = None if reference is None else reference_width(reference), parse_shard(shard)
    directory = Path(out) if out else Path("work_dirs") / "attacks" / opened.system.identity.name / settings.name
    leak = leak_of(opened, evaluated, source.task, allow_seen=allow_seen)
    saved = SavedFiles(directory.absolute(), evaluated[:keep_volumes], save_adversarial)
    workers = open_workers(
        AttackWorker(
            SystemNames.of(system, opened.system, task=task, device=wanted, cfg_options=cfg_options),
            Path(attack).absolute(),
            tuple(attack_options),
            None if epsilon is None else tuple(epsilon),
            max_passes,
            max_minutes,
            carried_cases(source, evaluated),
            source.task,
            protocol,
            seed,
            None if reference is None else Path(reference).absolute(),
            saved,
        ),
        num_workers=num_workers,
        cluster=cluster,
        device=wanted,
        num_gpus=num_gpus(),
    )
    with workers or contextlib.nullcontext(), ProgressDisplay(settings.name, console=console) as progress:
        evaluation = evaluate_robustness(
            opened.system,
            source,
            settings,
            directory,
            protocol=protocol,
            case_ids=evaluated,
            selection=_selection(max_cases, case_seed),
            shard=parts,
            seed=seed,
            fold=None if opened.config is None else opened.config.fold,
            leak=leak,
            reference=width,
            sanity=sanity,
            device=device,
            workers=workers,
            on_result=saved.writer(opened.system, settings),
            on_progress=progress.update,
        )
    findings = list(evaluation.findings)
    if other is not None:
        tried = [evaluated_case(source, one, opened.system, protocol).to(device) for one in shard_of(evaluated, *parts)]
        make_threat = ThreatFactory(settings.threat, width)
        findings.append(
            check_surrogate(opened.system.model, other.system.model, tried, make_threat, max(settings.epsilons), seed)
        )
    write_report(evaluation.records, findings, console)
    return evaluation


def _named(surrogate: Sequence[str], system: Sequence[str | Path]) -> Sequence[str | Path]:
    """Weights alone are those of another network of the same config."""
    alone = len(surrogate) == 1 and Path(surrogate[0]).is_file() and Path(surrogate[0]).suffix != ".py"
    return [system[0], surrogate[0]] if alone else surrogate


def _selection(max_cases: int | None, case_seed: int) -> CaseSelection:
    if max_cases is None:
        return CaseSelection("all", None)
    return CaseSelection(f"at most {max_cases} cases, spread over the set", case_seed)
