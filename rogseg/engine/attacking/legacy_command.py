"""What the command ``legacy`` does: the released evaluation with and without each of its faults."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.engine.attacking.attack_command import attack_system
from rogseg.engine.attacking.settings import parse_epsilon
from rogseg.engine.console import make_console
from rogseg.evaluation.record_file import HEADER
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.report.legacy.rows import LegacyRun, legacy_runs, read_legacy_rows
from rogseg.report.legacy.table import legacy_table, plot_legacy
from rogseg.report.tables.table import write_table
from rogseg.shipped_configs import find_config
from rogseg.systems import Protocol

__all__ = ["compare_legacy"]

NAME = "legacy"


def compare_legacy(
    system: Sequence[str | Path],
    out: Path,
    *,
    task: Path | None = None,
    data: Path | None = None,
    cases: Sequence[str] | None = None,
    max_cases: int | None = None,
    case_seed: int = 0,
    epsilon: str = "8/255",
    num_queries: int = 500,
    protocol: Protocol = "patch",
    seed: int = 0,
    allow_seen: bool = False,
    trust: bool = False,
    num_workers: int | None = None,
    cluster: str | None = None,
    device: str | None = None,
) -> tuple[Path, ...]:
    """Run what the rows need and write ``legacy.md``, ``.csv``, ``.tex``, ``.png`` and ``.svg``; see ``--help``.

    Twelve rows take eight runs: faults of the threat model change every attack, those of an attack only its own
    records, and the threshold only verdicts, which are told from the recorded Dice.

    Raises:
        ValueError: something in the arguments or files is wrong; the message says what to do.
    """
    console = make_console()
    _refuse_other_epsilon(out, epsilon)
    for number, run in enumerate(runs := legacy_runs(), start=1):
        console.print(f"run {number} of {len(runs)}: {run.folder}", markup=False)
        attack_system(
            system,
            find_config("legacy_rog", "attack"),
            epsilon=[epsilon],
            attack_options=_options(run, num_queries),
            out=out / run.folder,
            protocol=protocol,
            task=task,
            data=data,
            cases=cases,
            max_cases=max_cases,
            case_seed=case_seed,
            seed=seed,
            # What the others do wrong on purpose is nothing that a check would have to find.
            sanity="quick" if run == runs[0] else "none",
            keep_volumes=0,
            allow_seen=allow_seen,
            trust=trust,
            num_workers=num_workers,
            cluster=cluster,
            device=device,
        )
    rows = read_legacy_rows(out)
    table = legacy_table(rows, f"The released evaluation and its faults, {epsilon}")
    paths = (*write_table(table, out), *plot_legacy(rows, out / NAME))
    console.print(table.to_markdown(), markup=False)
    console.print(f"table and figure: {out}", markup=False)
    return paths


def _refuse_other_epsilon(out: Path, epsilon: str) -> None:
    """Records of two epsilons are no one comparison, and nobody wants to hear of that after all runs."""
    value = parse_epsilon(epsilon)
    for run in legacy_runs():
        folder = out / run.folder
        if (folder / HEADER).exists() and set(RecordFolder(folder).strengths()) - {value}:
            raise ValueError(f"{folder}: holds records of another --epsilon than {epsilon}; give another --out")


def _options(run: LegacyRun, num_queries: int) -> list[str]:
    """Keys of the config ``legacy_rog`` for a run."""
    return [
        f"threat.type={'LegacyROGThreat' if run.clamp else 'LinfThreat'}",
        f"threat.unit={'network' if run.units else 'fraction'}",
        f"attack.mix_restarts_by_voxel={run.own_faults}",
        f"attack.queries_as_iterations={run.own_faults}",
        f"attack.num_queries={num_queries}",
        "attack.fab_always_five=False",
        "attack.compound_threshold=False",
    ]
