"""From a config, a checkpoint and an attack config to records, a table and figures."""

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rogseg.attacks import Attack, AttackResult, Criterion, DiceBelow
from rogseg.engine.attacking.attack_cases import AttackCase, Protocol, load_attack_case
from rogseg.engine.attacking.attack_loop import AttackLoop
from rogseg.engine.attacking.attack_reporting import write_report
from rogseg.engine.attacking.attack_sanity import CHECK_PASSES, check_model, check_surrogate
from rogseg.engine.attacking.case_selection import parse_shard, shard_of, spread
from rogseg.engine.attacking.save_adversarial import AdversarialWriter
from rogseg.engine.attacking.threats import DEFAULT_THREAT, ThreatFactory, parse_epsilon
from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.engine.evaluation_identity import environment
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.api import build_model
from rogseg.engine.stored_task import ensure_stored_task
from rogseg.evaluation.case_record import SCHEMA_VERSION
from rogseg.evaluation.identity import (
    CaseSelection,
    Condition,
    CriterionSetting,
    EvaluatedSystem,
    EvaluationIdentity,
    ThreatSetting,
)
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice
from rogseg.registry import ATTACKS, CRITERIA

__all__ = ["attack_checkpoint"]

HALF_OF_CLEAN = {"type": "DiceBelow", "threshold": "half of the mean clean Dice of the cases"}


def attack_checkpoint(
    config: str | Path,
    checkpoint: str | Path,
    attack: str | Path,
    *,
    epsilon: Sequence[str] | None = None,
    protocol: Protocol = "volume",
    out: str | Path | None = None,
    task: str | Path | None = None,
    cases: Sequence[str] | None = None,
    max_cases: int | None = None,
    shard: str = "1/1",
    save_adversarial: bool = False,
    seed: int = 0,
    surrogate: str | Path | None = None,
    device: str | None = None,
    cfg_options: Sequence[str] = (),
    attack_options: Sequence[str] = (),
) -> RecordFolder:
    """Attack the validation cases of a fold, or the given ones, and report; see ``tools/attack.py --help``.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console = Console()
    cfg, attack_cfg = load_config(config, list(cfg_options), task), load_config(attack, list(attack_options))
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cpu":
        keep_freed_memory()
    if attack_cfg.get("attack") is None:
        raise ValueError(f"{attack}: it has no key 'attack'; take one of configs/attack/")
    criterion_cfg = attack_cfg.criterion.to_dict() if attack_cfg.get("criterion") else None
    name = Path(attack).stem
    built: Attack = ATTACKS.build(attack_cfg.attack)
    factory = ThreatFactory(attack_cfg.get("threat", DEFAULT_THREAT))
    epsilons = [parse_epsilon(text) for text in epsilon] if epsilon else list(attack_cfg.get("epsilons", [8 / 255]))

    plan = plan_of(cfg)
    stored = ensure_stored_task(cfg, task, needed=lambda fold: cases or fold.validation)
    evaluated = spread(cases or stored.folds(cfg.fold).validation, max_cases, seed)
    system = build_model(cfg, checkpoint, device)
    model = system.logits
    of, versions = system.identity, environment(device)
    identity = EvaluationIdentity(
        system=EvaluatedSystem(of.kind, of.name, of.digest, of.options),
        task=plan.name,
        classes=system.class_names,
        channels=tuple({"name": one.name, "unit": one.unit} for one in system.channels),
        data={case_id: stored.case(case_id).properties.source_digest for case_id in evaluated},
        condition=Condition("attack", name, attack_cfg.attack.to_dict()),
        threat=ThreatSetting(**{**DEFAULT_THREAT, **attack_cfg.get("threat", {})}, options={}),
        criterion=CriterionSetting(criterion_cfg or HALF_OF_CLEAN, None, "the evaluated cases", evaluated),
        protocol=protocol,
        window_size=tuple(plan.window_size),
        overlap=cfg.inference["overlap"],
        measures=(Dice().describe(),),
        selection=CaseSelection(
            "all" if max_cases is None else f"at most {max_cases} cases, spread over the set", seed
        ),
        seed=seed,
        fold=None if cases else cfg.fold,
        leak="not recorded",
        versions={"rogseg": versions["rogseg"], "schema": SCHEMA_VERSION},
    )
    directory = Path(out) if out else Path("work_dirs") / "attacks" / Path(checkpoint).stem / name
    report = RecordFolder(directory, identity, versions)

    def load_case(case_id: str) -> AttackCase:
        return load_attack_case(stored.case(case_id), protocol, plan.window_size, device)

    writer = AdversarialWriter(directory / "adversarial", stored, plan, model) if save_adversarial else None
    shard_cases = shard_of(evaluated, *parse_shard(shard))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        todo = progress.add_task(name, total=len(shard_cases) * len(epsilons))

        def on_result(case: AttackCase, epsilon: float, result: AttackResult) -> None:
            if writer is not None:
                writer.write(case, epsilon, name, result)
            progress.advance(todo)

        loop = AttackLoop(model, built, name, factory, load_case, report, seed=seed, on_result=on_result)
        mean_clean = loop.run_clean(evaluated)
        report.settle_mu(mean_clean)
        progress.update(todo, completed=loop.count_done(shard_cases, epsilons))
        criterion: Criterion = CRITERIA.build(criterion_cfg) if criterion_cfg else DiceBelow(mean_clean / 2)
        loop.run(shard_cases, epsilons, criterion)
    strongest = max(epsilons)
    console.print(f"sanity checks on {evaluated[0]}: {CHECK_PASSES} forward and backward passes")
    findings = [*check_model(model, load_case(evaluated[0]), factory, strongest, seed)]
    if surrogate is not None:
        tried = [load_case(case_id) for case_id in shard_cases]
        other = build_model(cfg, surrogate, device).logits
        findings.append(check_surrogate(model, other, tried, factory, strongest, seed))
    write_report(report, findings, console)
    return report
