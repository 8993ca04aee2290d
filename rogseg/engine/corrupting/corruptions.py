"""evaluate_corruptions: any system on corrupted raw cases, a record of each case under each corruption and severity."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from rogseg.corruptions import Scan
from rogseg.engine.accuracy.raw_grid import UnusableCases, default_measures, measure_labels, raw_grid_identity
from rogseg.engine.case_selection import shard_of
from rogseg.engine.corrupting.calibrate import corrupt_case
from rogseg.engine.corrupting.raw_scan import RawScan
from rogseg.engine.corrupting.settings import ChosenCorruption, CorruptionSettings
from rogseg.engine.digests import environment
from rogseg.evaluation.case_record import CLEAN, CaseRecord, PerClass
from rogseg.evaluation.identity import CaseSelection, Condition
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Measure, build_measures, image_range, peak_signal_to_noise, structural_similarity
from rogseg.storage import RawCase
from rogseg.systems import RawCases, System

__all__ = ["PSNR", "SSIM", "evaluate_corruptions"]

SSIM, PSNR = "SSIM", "PSNR"


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
    device: torch.device | str = "cpu",
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
        measures: configs of the METRICS registry; None is `default_measures`.
        selection: how the cases were chosen, for the record.
        shard: (k, n) does every n-th case from the k-th on, counted from 1.
        seed: of all randomness. A case has one draw for each corruption, whatever the severity.
        fold: that the cases are the validation part of.
        leak: what the system had seen of the cases, for the record.
        device: that the system runs on, for the record.
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
    built = build_measures(default_measures(system) if measures is None else measures)
    unusable = UnusableCases(len(cases))
    identity = raw_grid_identity(
        system,
        task,
        built,
        unusable.digests(RawCases(system, cases, task)),
        condition=Condition("corruption", "corruptions", settings.to_json()),
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
    )
    records = RecordFolder(out, identity, environment(device))
    by_id = {case.case_id: case for case in cases}
    mine = shard_of(identity.cases, *shard)
    todo = [_Todo(records, case_id, settings) for case_id in mine]
    total = len(mine) * (1 + len(settings.pairs))
    done = total - sum(one.count for one in todo)
    for one in todo:
        if on_progress is not None:
            on_progress(done, total)
        if not one.count:
            continue
        try:
            case = _CorruptedCase(system, built, RawScan.read(system, by_id[one.case_id], settings.modalities), seed)
            if one.is_clean_missing:
                records.add(case.clean_record())
                done += 1
            for chosen, severity in one.pairs:
                records.add(case.record(chosen, severity, records.clean()[one.case_id].clean))
                done += 1
                if on_progress is not None:
                    on_progress(done, total)
        except ValueError as error:
            unusable.note(one.case_id, f"{one.case_id}: {error}")
    if on_progress is not None:
        on_progress(done, total)
    unusable.refuse()
    return records


class _Todo:
    """What is not on record of a case."""

    def __init__(self, records: RecordFolder, case_id: str, settings: CorruptionSettings) -> None:
        self.case_id = case_id
        self.is_clean_missing = not records.has(case_id, CLEAN, 0.0)
        self.pairs = [(one, level) for one, level in settings.pairs if not records.has(case_id, one.name, float(level))]

    @property
    def count(self) -> int:
        """Segmentations."""
        return len(self.pairs) + self.is_clean_missing


@dataclasses.dataclass(frozen=True)
class _CorruptedCase:
    """One case, segmented as it is and corrupted."""

    system: System
    measures: Sequence[Measure]
    read: RawScan
    seed: int

    def clean_record(self) -> CaseRecord:
        """The case as its files are."""
        begin = time.perf_counter()
        taken = self._segmented(dataclasses.replace(self.read.raw, label=None), self.read.scan)
        seconds = time.perf_counter() - begin
        return CaseRecord.of_clean(self.read.raw.case_id, taken, seed=self.seed, seconds=seconds)

    def record(self, chosen: ChosenCorruption, severity: int, clean: Mapping[str, PerClass]) -> CaseRecord:
        """The case under a corruption."""
        begin, case_id, scan = time.perf_counter(), self.read.raw.case_id, self.read.scan
        try:
            made = corrupt_case(chosen.name, chosen.corruption, scan, chosen.parameters[severity], case_id, self.seed)
            with self.read.as_files(made) as files:
                taken = self._segmented(files, made)
        except ValueError as error:
            raise ValueError(f"under {chosen.name} at severity {severity}: {error}") from error
        before, after = scan.voxels.numpy(), made.voxels.numpy()
        width = image_range(before)
        visibility = {
            SSIM: structural_similarity(before, after, width),
            PSNR: peak_signal_to_noise(before, after, width),
        }
        return CaseRecord(
            case_id=case_id,
            condition=chosen.name,
            strength=float(severity),
            clean=clean,
            measures=taken,
            seconds=time.perf_counter() - begin,
            seed=self.seed,
            # Equal volumes have no PSNR.
            visibility={name: value for name, value in visibility.items() if math.isfinite(value)},
        )

    def _segmented(self, files: RawCase, scan: Scan) -> dict[str, PerClass]:
        labels = self.system.segment(self.system.prepare(files))
        return measure_labels(self.system, self.measures, labels, *RawScan.targets(scan), self.read.grid)
