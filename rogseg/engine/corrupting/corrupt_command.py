"""What the command ``corrupt`` does: open a system, find its cases, corrupt them, segment them and report."""

from collections.abc import Sequence
from pathlib import Path

from rogseg.corruptions import Modality
from rogseg.engine.accuracy.raw_grid import measures_for
from rogseg.engine.case_finding import cases_to_test
from rogseg.engine.case_selection import parse_shard, selection_of, spread
from rogseg.engine.case_workers import SystemNames, workers_at
from rogseg.engine.console import make_console
from rogseg.engine.corrupting.calibrate import calibrated, parse_calibration
from rogseg.engine.corrupting.case_corrupter import CorruptWorker
from rogseg.engine.corrupting.corruptions import evaluate_corruptions
from rogseg.engine.corrupting.examples import write_examples
from rogseg.engine.corrupting.raw_scan import modalities_of
from rogseg.engine.corrupting.settings import ALL_SEVERITIES, CorruptionSettings
from rogseg.engine.model.open_system import leak_of
from rogseg.engine.reporting import conclude, tell_left_out
from rogseg.evaluation.record_folder import RecordFolder

__all__ = ["corrupt_system"]

EXAMPLES = "examples.png"


def corrupt_system(
    system: Sequence[str | Path],
    out: str | Path,
    *,
    corruption: Sequence[str] | None = None,
    severity: Sequence[int] | None = None,
    calibrate: str | None = None,
    modality: Modality | None = None,
    cases: Sequence[str] = ("validation",),
    max_cases: int | None = None,
    case_seed: int = 0,
    shard: str = "1/1",
    data: Path | None = None,
    task: Path | None = None,
    baseline: Path | None = None,
    allow_seen: bool = False,
    seed: int = 0,
    num_workers: int | None = None,
    cluster: str | None = None,
    device: str | None = None,
    trust: bool = False,
    cfg_options: Sequence[str] = (),
) -> RecordFolder:
    """Corrupt, segment and measure; see ``rogseg corrupt --help``. What is finished in ``out`` is not done again.

    Raises:
        ValueError: something in the arguments, configs or files is wrong; the message says what to do.
    """
    console, asked = make_console(), SystemNames(system, task, device, cfg_options, trust)
    targets = None if calibrate is None else parse_calibration(calibrate)
    if targets is not None and severity is not None:
        raise ValueError("--calibrate says by itself which severities there are, one per target; leave out --severity")
    parts = parse_shard(shard)
    other = None if baseline is None else RecordFolder(baseline)
    opened = asked.open()
    modalities = modalities_of(opened.system) if modality is None else (modality,) * len(opened.system.channels)
    settings = CorruptionSettings.choose(modalities, corruption, severity or ALL_SEVERITIES)
    found = cases_to_test(opened, cases, data=data, task=task)
    by_id = {case.case_id: case for case in found.cases}
    chosen = [by_id[case_id] for case_id in spread(tuple(by_id), max_cases, case_seed)]
    # What is known to be wrong is refused before hours of work.
    leak = leak_of(opened, [case.case_id for case in chosen], found.task, allow_seen=allow_seen)
    tell_left_out(found.left_out, console)
    for name, reason in settings.not_applicable.items():
        console.print(f"{name}: not applicable, {reason}", markup=False, highlight=False)
    if targets is not None:
        settings = calibrated(opened.system, chosen, settings, targets, seed)
        for one in settings.chosen:
            unit = one.corruption.severities.unit
            at = ", ".join(f"severity {severity} at {value:g} {unit}" for severity, value in one.parameters.items())
            console.print(f"{one.name}: {at or 'reaches none of these'}", markup=False, highlight=False)
    directory = Path(out)
    measures = measures_for(opened.system, opened.measures)
    worker = CorruptWorker(asked.of(opened.system, settings.to_json(), measures), measures, settings.modalities, seed)
    with workers_at("corrupting", worker, asked.device, num_workers, cluster, console) as (workers, progress):
        records = evaluate_corruptions(
            opened.system,
            chosen,
            settings,
            directory,
            task=found.task,
            measures=measures,
            selection=selection_of(max_cases, case_seed, found.rule),
            shard=parts,
            seed=seed,
            fold=found.fold,
            leak=leak,
            workers=workers,
            on_progress=progress.update,
        )
    if not (directory / EXAMPLES).is_file():
        write_examples(opened.system, chosen[0], settings, seed, directory / EXAMPLES)
    conclude(records, console=console, baseline=other)
    return records
