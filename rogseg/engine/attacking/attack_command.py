"""What the command ``attack`` does: open a system, find its cases, attack them and report."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.attacks.sanity_checks import Effort
from rogseg.cases import worded_cases
from rogseg.engine.attacking.attack_worker import AttackWorker, SavedFiles
from rogseg.engine.attacking.replays import refuse_without_files, replay
from rogseg.engine.attacking.robustness import Evaluation, evaluate_robustness
from rogseg.engine.attacking.sanity import of_checks
from rogseg.engine.attacking.save_volumes import on_record_alone
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.transfer import TransferSetting
from rogseg.engine.case_finding import BY_ID, cases_to_attack, fold_of_cases, reference_width
from rogseg.engine.case_selection import parse_shard, selection_of, spread
from rogseg.engine.case_workers import CarriedCases, SystemNames, workers_at
from rogseg.engine.console import make_console
from rogseg.engine.model.open_system import leak_of
from rogseg.engine.raw_files import raw_files_of
from rogseg.engine.reporting import conclude
from rogseg.systems import Protocol

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
    sanity: Effort = "quick",
    allow_seen: bool = False,
    trust: bool = False,
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
    console, asked = make_console(), SystemNames(system, task, device, cfg_options, trust)
    settings = AttackSettings.load(
        attack,
        attack_options,
        epsilon,
        has_reference=reference is not None,
        max_passes=max_passes,
        max_minutes=max_minutes,
    )
    if keep_volumes < 0:
        raise ValueError(f"--keep-volumes is {keep_volumes}, it must be at least 0")
    opened = asked.open()
    # What is known to be wrong is refused before hours of work.
    source = cases_to_attack(opened, data=data, task=task, cases=cases)
    evaluated = spread(source.case_ids, max_cases, case_seed)
    width, parts = None if reference is None else reference_width(reference), parse_shard(shard)
    directory = Path(out) if out else Path("work_dirs") / "attacks" / opened.system.identity.name / settings.name
    leak = leak_of(opened, evaluated, source.task, allow_seen=allow_seen)
    raw = raw_files_of(opened, source, evaluated, data=data) if save_adversarial else None
    saved = SavedFiles(directory.absolute(), evaluated[:keep_volumes], raw)
    made = saved.adversaries(opened.system, settings, source)
    if made is not None:
        refuse_without_files(made, directory)
        made.refuse_if_impossible(evaluated[0])
    fold = fold_of_cases(opened, source.case_ids, data=data, task=task)
    selection = selection_of(max_cases, case_seed, BY_ID if cases else None)
    worker = AttackWorker(
        asked.of(opened.system, settings.attack, settings.threat, settings.criterion, settings.measures),
        Path(attack).absolute(),
        tuple(attack_options),
        None if epsilon is None else tuple(epsilon),
        max_passes,
        max_minutes,
        CarriedCases.of(source, evaluated),
        protocol,
        seed,
        None if reference is None else Path(reference).absolute(),
        saved,
    )
    said = f"{settings.name} on {worded_cases(len(evaluated))} of {source.task}; each is segmented without attack first"
    console.print(said, markup=False, soft_wrap=True)
    with workers_at(settings.name, worker, asked.device, num_workers, cluster, console) as (workers, progress):
        evaluation = evaluate_robustness(
            opened.system,
            source,
            settings,
            directory,
            protocol=protocol,
            case_ids=evaluated,
            selection=selection,
            shard=parts,
            seed=seed,
            fold=fold,
            leak=leak,
            reference=width,
            sanity=sanity,
            workers=workers,
            on_result=saved.writer(opened.system, settings, source),
            on_progress=progress.update,
            on_checks=of_checks(progress),
        )
    conclude(evaluation.records, evaluation.findings, console)
    if without := on_record_alone(evaluation.records, settings.name, saved.shown):
        console.print(
            f"note: the viewer shows no volume of {', '.join(without)}: an earlier run attacked these cases and kept "
            "none, and what is on record is not attacked again; to see them, repeat the attack in another --out",
            markup=False,
            soft_wrap=True,
        )
    if made is not None:
        setting = TransferSetting(settings, source.task, evaluated, selection, parts, seed, fold, width)
        replay(made, setting, directory, leak, console)
    return evaluation
