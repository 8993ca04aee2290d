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
from rogseg.engine.config.load import load_attack_config, load_config
from rogseg.engine.config.task import plan_of
from rogseg.engine.evaluation_identity import digest_of_file, digest_of_json, environment
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.api import build_model
from rogseg.engine.stored_task import ensure_stored_task
from rogseg.evaluation.robustness_report import RobustnessReport
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
) -> RobustnessReport:
    """Attack the validation cases of a fold, or the given ones, and report; see ``tools/attack.py --help``.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console = Console()
    cfg, attack_cfg = load_config(config, list(cfg_options), task), load_attack_config(attack, list(attack_options))
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cpu":
        keep_freed_memory()
    criterion_cfg = attack_cfg.criterion.to_dict() if attack_cfg.get("criterion") else None
    name = Path(attack).stem
    built: Attack = ATTACKS.build(attack_cfg.attack)
    factory = ThreatFactory(attack_cfg.get("threat", DEFAULT_THREAT))
    epsilons = [parse_epsilon(text) for text in epsilon] if epsilon else list(attack_cfg.get("epsilons", [8 / 255]))

    plan = plan_of(cfg)
    stored = ensure_stored_task(cfg, task, needed=lambda fold: cases or fold.validation)
    evaluated = spread(cases or stored.folds(cfg.fold).validation, max_cases, seed)
    model = build_model(cfg, checkpoint, device).logits
    identity = {
        "task": plan.name,
        "classes": plan.class_names,
        "plan": digest_of_json(plan.to_json()),
        "config": digest_of_json(cfg.model.to_dict()),
        "checkpoint": digest_of_file(checkpoint),
        "attack": attack_cfg.attack.to_dict(),
        "attack_name": name,
        "criterion": criterion_cfg or HALF_OF_CLEAN,
        "threat": {**DEFAULT_THREAT, **attack_cfg.get("threat", {})},
        "protocol": protocol,
        "overlap": cfg.inference["overlap"],
        "cases": list(evaluated),
        "selection": "all" if max_cases is None else f"at most {max_cases} cases, spread over the set",
        "seed": seed,
    }
    directory = Path(out) if out else Path("work_dirs") / "attacks" / Path(checkpoint).stem / name
    report = RobustnessReport(directory, identity, environment(device))

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
