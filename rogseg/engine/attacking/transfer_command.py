"""What the command ``transfer`` does, and ``attack --surrogate``: volumes made on one system and given to others."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from rogseg.attacks.sanity_checks import Effort
from rogseg.command_line import named_place
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.transfer import TransferSetting, check_classes, score_adversaries
from rogseg.engine.attacking.transfer_sources import (
    differing_boxes,
    make_adversaries,
    transfer_findings,
    why_no_source,
)
from rogseg.engine.case_finding import BY_ID, cases_to_attack, own_fold, reference_width
from rogseg.engine.case_selection import parse_shard, selection_of, spread
from rogseg.engine.console import make_console
from rogseg.engine.model.open_system import OpenedSystem, leak_of, open_system
from rogseg.engine.raw_files import refuse_other_files
from rogseg.engine.reporting import conclude
from rogseg.engine.stored_task import data_hint
from rogseg.engine.task_meaning import refuse_other_meaning
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.transfer_table import transfer_tables
from rogseg.foreign import checked_name
from rogseg.progress import ProgressDisplay
from rogseg.storage import RawTask, read_raw_task, write_text_atomic

__all__ = ["TransferOptions", "attack_from_surrogate", "transfer_between"]


@dataclasses.dataclass(frozen=True)
class TransferOptions:
    """What both commands are told, as it stands on the command line."""

    attack: str | Path
    attack_options: Sequence[str] = ()
    epsilon: Sequence[str] | None = None
    reference: Path | None = None
    max_passes: int | None = None
    max_minutes: float | None = None
    data: Path | None = None
    task: Path | None = None
    cases: Sequence[str] | None = None
    max_cases: int | None = None
    case_seed: int = 0
    shard: str = "1/1"
    seed: int = 0
    sanity: Effort = "quick"
    allow_seen: bool = False
    trust: bool = False
    device: str | None = None

    def settings(self) -> AttackSettings:
        """The attack, which needs no system to be known wrong.

        Raises:
            ValueError: as `AttackSettings.load`.
        """
        return AttackSettings.load(
            self.attack,
            self.attack_options,
            self.epsilon,
            has_reference=self.reference is not None,
            max_passes=self.max_passes,
            max_minutes=self.max_minutes,
        )


def transfer_between(
    systems: Sequence[str], out: Path, options: TransferOptions
) -> dict[tuple[str, str], RecordFolder]:
    """Make adversarial volumes on each system and give them to each; see ``rogseg transfer --help``.

    Returns:
        The records by source and target.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, settings = make_console(), options.settings()
    opened = _open_all(systems, options)
    raw, setting, leaks = _prepare(opened, settings, options, console)
    reasons = {name: why_no_source(one.system, setting.attack) for name, one in opened.items()}
    sources = [name for name, reason in reasons.items() if not reason]
    if not sources:
        raise ValueError(f"on none of these can volumes be made: {_listed(reasons)}; name another network")
    if len(sources) < len(opened):
        console.print(f"given the volumes of others, none are made on it: {_listed(reasons)}", markup=False)
    attacked, made = {}, {}
    for name in sources:
        attacked[name], made[name] = make_adversaries(
            opened[name].system, raw, setting, out / name, leaks[name], options.sanity, console
        )
    folders = {}
    for target, one in opened.items():
        for source in sources:
            with ProgressDisplay(f"volumes of {source} on {target}", console=console) as progress:
                folders[source, target] = score_adversaries(
                    one.system,
                    made[source],
                    out / source / f"on_{target}",
                    setting,
                    leak=leaks[target],
                    on_progress=progress.update,
                )
    for name, evaluation in attacked.items():
        found = transfer_findings(name, evaluation.records, folders)
        conclude(evaluation.records, [*evaluation.findings, *found], console)
    tables = transfer_tables(folders)
    for table in tables:
        table.print_to(console)
    text = "\n".join(f"{table.title}\n\n{table.to_markdown()}" for table in tables)
    write_text_atomic(out / "transfer.md", text)
    return folders


def attack_from_surrogate(
    system: Sequence[str | Path],
    surrogate: Sequence[str | Path],
    out: Path | None,
    options: TransferOptions,
    cfg_options: Sequence[str] = (),
) -> RecordFolder:
    """Make adversarial volumes on one system and record what another makes of them; ``rogseg attack --surrogate``.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, device, trust, settings = make_console(), options.device, options.trust, options.settings()
    target = open_system(system, device=device, task_dir=options.task, overrides=cfg_options, trust=trust)
    same_config = _are_weights(surrogate)  # which is changed for both in the same way
    named, overrides = ([system[0], surrogate[0]], cfg_options) if same_config else (surrogate, ())
    source = open_system(named, device=device, task_dir=options.task, overrides=overrides, trust=trust)
    raw, setting, leaks = _prepare({"target": target, "surrogate": source}, settings, options, console)
    attacked, made_on = target.system.identity.name, source.system.identity.name
    if reason := why_no_source(source.system, setting.attack):
        raise ValueError(f"--surrogate: {made_on} {reason}; name another network")
    directory = out or Path("work_dirs") / "attacks" / attacked / f"{setting.attack.name}_from_{made_on}"
    _, made = make_adversaries(
        source.system, raw, setting, directory / "surrogate", leaks["surrogate"], options.sanity, console
    )
    with ProgressDisplay(f"volumes of {made_on} on {attacked}", console=console) as progress:
        records = score_adversaries(
            target.system, made, directory, setting, leak=leaks["target"], on_progress=progress.update
        )
    conclude(records, (), console)
    return records


def _prepare(
    opened: Mapping[str, OpenedSystem], settings: AttackSettings, options: TransferOptions, console: Console
) -> tuple[RawTask, TransferSetting, dict[str, str]]:
    """The raw task, what all pairs share, and what each system had seen of the cases."""
    first, systems = next(iter(opened.values())), [one.system for one in opened.values()]
    for system in systems[1:]:
        check_classes(system, systems[0])
    raw = _raw_task(list(opened.values()), options.data)
    for system in systems:
        refuse_other_meaning(system, raw)
    found = cases_to_attack(first, data=raw.directory, task=options.task, cases=options.cases)
    case_ids = spread(found.case_ids, options.max_cases, options.case_seed)
    if options.data is None:
        refuse_other_files(first, raw, case_ids, options.task)
    setting = TransferSetting(
        attack=settings,
        task=raw.name,
        case_ids=case_ids,
        selection=selection_of(options.max_cases, options.case_seed, BY_ID if options.cases else None),
        shard=parse_shard(options.shard),
        seed=options.seed,
        fold=None if options.cases else own_fold(first),
        reference=None if options.reference is None else reference_width(options.reference),
    )
    leaks = {
        name: leak_of(one, setting.case_ids, raw.name, allow_seen=options.allow_seen) for name, one in opened.items()
    }
    caution = differing_boxes(systems, raw, setting)
    if caution:
        console.print(caution, style="bold yellow", markup=False)
    return raw, setting, leaks


def _raw_task(opened: Sequence[OpenedSystem], data: Path | None) -> RawTask:
    """The task that every system prepares itself; its labels are for each to read."""
    known = [one.raw_folder for one in opened if one.raw_folder is not None]
    found = data or next((folder for folder in known if (folder / "dataset.json").is_file()), None)
    if found is None:
        looked = f"none in {' or '.join(dict.fromkeys(map(str, known)))}" if known else "none is known"
        hint = data_hint(known[0].name) if known else "name their folder with --data"
        raise ValueError(
            "adversarial volumes go from one network to another as raw files, and of the raw cases there are "
            f"{looked}: {hint}"
        )
    return read_raw_task(found, plain_labels=False)


def _open_all(words: Sequence[str], options: TransferOptions) -> dict[str, OpenedSystem]:
    """The systems by their names: ``[NAME=]SYSTEM``, with a comma between a config and its checkpoint."""
    opened: dict[str, OpenedSystem] = {}
    for word in words:
        name, system = named_place(word)
        names = [system] if Path(system).exists() else system.split(",")
        one = open_system(names, device=options.device, task_dir=options.task, trust=options.trust)
        name = checked_name(name or one.system.identity.name, f"{word}: the name of a system")
        if name in opened:
            raise ValueError(f"two systems are called {name!r}; give each a name of its own, such as other={system}")
        one.system.identity = dataclasses.replace(one.system.identity, name=name)
        opened[name] = one
    if len(opened) < 2:
        raise ValueError("a transfer is between two networks or more; rogseg attack attacks one")
    return opened


def _listed(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {reason}" for name, reason in reasons.items() if reason)


def _are_weights(names: Sequence[str | Path]) -> bool:
    return len(names) == 1 and Path(names[0]).is_file() and Path(names[0]).suffix != ".py"
