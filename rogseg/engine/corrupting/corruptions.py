"""evaluate_corruptions: any system on corrupted raw cases, a record of each case under each corruption and severity."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rogseg.engine.accuracy.raw_grid import RAW_GRID, measures_for
from rogseg.engine.case_recording import UnusableCases, record_cases
from rogseg.engine.case_selection import shard_of
from rogseg.engine.corrupting.case_corrupter import CaseCorrupter, CorruptedCase, UncorruptedCase
from rogseg.engine.corrupting.settings import CorruptionSettings
from rogseg.engine.device import system_device
from rogseg.engine.digests import environment
from rogseg.engine.evaluated_system import evaluation_identity
from rogseg.evaluation.case_record import CLEAN, CaseRecord
from rogseg.evaluation.identity import CaseSelection, Condition
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import build_measures
from rogseg.storage import RawCase
from rogseg.systems import RawCases, System
from rogseg.workers import InThisProcess, Job, Workers

__all__ = ["evaluate_corruptions"]


def evaluate_corruptions(
    system: System,
    cases: Sequence[RawCase],
    settings: CorruptionSettings,
    out: str | Path,
    *,
    task: str,
    measures: Sequence[Mapping[str, Any]] | None = None,
    selection: CaseSelection,
    shard: tuple[int, int] = (1, 1),
    seed: int = 0,
    fold: int | None = None,
    leak: str = "not known",
    workers: Workers[UncorruptedCase | CorruptedCase, tuple[CaseRecord, ...] | str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> RecordFolder:
    """Corrupt raw cases, let the system prepare and segment them, and measure that in the grid of the files.

    A case is segmented as it is, then under every corruption at every severity. Where a corruption moves the patient,
    the prediction is measured against the label map that was moved with the image. What is on record is not done again.

    Args:
        system: what segments.
        cases: raw cases with labels.
        settings: corruptions, severities, parameters.
        out: folder of the records; made if absent.
        task: its name.
        measures: configs of the METRICS registry; None is those of `measures_for`.
        selection: how the cases were chosen, for the record.
        shard: (k, n) does every n-th case from the k-th on, counted from 1.
        seed: of all randomness. A case has one draw for each corruption, whatever the severity.
        fold: that the cases are the validation part of.
        leak: what the system had seen of the cases, for the record.
        workers: who segments, each with a `CaseCorrupter` of its own; None segments in this process.
        on_progress: called with the segmentations that are done, and with all there are: first with what an earlier run
            has left.

    Raises:
        ValueError: a case has no label, the folder holds another evaluation, or cases could not be used.
    """
    unlabelled = [case.case_id for case in cases if case.label is None]
    if unlabelled or not cases:
        raise ValueError(
            f"{', '.join(unlabelled[:5]) or 'no case'}: without a label nothing can be measured; take labelled cases"
        )
    built = build_measures(measures_for(system, measures))
    source, unusable = RawCases(system, cases, task), UnusableCases(len(cases))
    identity = evaluation_identity(
        system,
        task,
        unusable.digests(source, source.case_ids),
        condition=Condition("corruption", "corruptions", settings.to_json()),
        protocol=RAW_GRID,
        measures=built,
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
    )
    records = RecordFolder(out, identity, environment(system_device(system)))
    mine = [case_id for case_id in shard_of(identity.cases, *shard) if case_id not in unusable.case_ids]
    missing = [case_id for case_id in mine if not records.has(case_id, CLEAN, 0.0)]
    todo = [
        (case_id, one, severity)
        for case_id in mine
        for one, severity in settings.pairs
        if not records.has(case_id, one.name, float(severity))
    ]
    total = len(mine) * (1 + len(settings.pairs))
    segmenting = workers or InThisProcess(CaseCorrupter(system, built, settings.modalities, seed))
    faults: dict[str, str] = {}

    def tell(done: int) -> None:
        if on_progress is not None:
            on_progress(done, total)

    def run(asked: Iterable[UncorruptedCase | CorruptedCase], before: int) -> None:
        jobs = [Job(f"case {one.raw.case_id!r}", one, source.size(one.raw.case_id)) for one in asked]
        for one, fault in record_cases(segmenting, jobs, records, lambda done: tell(before + done)):
            faults.setdefault(one.raw.case_id, fault)

    tell(before := total - len(missing) - len(todo))
    run((UncorruptedCase(source.raw(case_id)) for case_id in missing), before)
    clean = records.clean()
    corrupted = (
        CorruptedCase(source.raw(case_id), one, severity, clean[case_id].clean)
        for case_id, one, severity in todo
        if case_id in clean
    )
    run(corrupted, before + len(missing))
    for case_id, fault in faults.items():
        unusable.note(case_id, fault)
    unusable.refuse()
    return records
