"""CaseCorrupter: segments one raw case, as it is or corrupted, and measures it; it can run anywhere."""

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from rogseg.attacks.model_state import evaluation_mode
from rogseg.corruptions import Modality, Scan
from rogseg.engine.accuracy.raw_grid import measure_labels
from rogseg.engine.case_recording import case_fault
from rogseg.engine.case_workers import SystemNames
from rogseg.engine.corrupting.calibrate import corrupt_case
from rogseg.engine.corrupting.raw_scan import RawScan
from rogseg.engine.corrupting.settings import ChosenCorruption
from rogseg.evaluation.case_record import CaseRecord, PerClass
from rogseg.metrics import Measure, build_measures, image_range, peak_signal_to_noise, structural_similarity
from rogseg.storage import RawCase
from rogseg.systems import System

__all__ = ["PSNR", "SSIM", "CaseCorrupter", "CorruptWorker", "CorruptedCase", "UncorruptedCase"]

SSIM, PSNR = "SSIM", "PSNR"


@dataclasses.dataclass(frozen=True)
class UncorruptedCase:
    """To be segmented as its files are."""

    raw: RawCase


@dataclasses.dataclass(frozen=True)
class CorruptedCase:
    """To be corrupted and segmented.

    Args:
        raw: its files.
        chosen: the corruption.
        severity: of it.
        clean: measures of the prediction without corruption.
    """

    raw: RawCase
    chosen: ChosenCorruption
    severity: int
    clean: Mapping[str, PerClass]


class CaseCorrupter:
    """Makes one record; the same case gives the same record wherever that is, seconds aside.

    Args:
        system: what segments.
        measures: taken of every prediction.
        modalities: of the channels of the images.
        seed: of the corruptions.
    """

    def __init__(
        self, system: System, measures: Sequence[Measure], modalities: tuple[Modality, ...], seed: int
    ) -> None:
        self.system, self.measures, self.modalities, self.seed = system, measures, modalities, seed
        self._last: RawScan | None = None

    def __call__(self, asked: UncorruptedCase | CorruptedCase) -> tuple[CaseRecord] | str:
        """The record; of a case that cannot be used, what is wrong with it, since the others go on."""
        where = asked.raw.case_id
        if isinstance(asked, CorruptedCase):
            where = f"{where}: under {asked.chosen.name} at severity {asked.severity}"
        try:
            return (self._clean(asked) if isinstance(asked, UncorruptedCase) else self._corrupted(asked),)
        except ValueError as error:
            return case_fault(where, error)

    def _clean(self, asked: UncorruptedCase) -> CaseRecord:
        begin, read = time.perf_counter(), self._read(asked.raw)
        taken, notes = self._segmented(dataclasses.replace(asked.raw, label=None), read.scan, read)
        seconds = time.perf_counter() - begin
        return CaseRecord.of_clean(asked.raw.case_id, taken, seed=self.seed, seconds=seconds, notes=notes)

    def _corrupted(self, asked: CorruptedCase) -> CaseRecord:
        begin, read, chosen = time.perf_counter(), self._read(asked.raw), asked.chosen
        parameter = chosen.parameters[asked.severity]
        made = corrupt_case(chosen.name, chosen.corruption, read.scan, parameter, asked.raw.case_id, self.seed)
        if torch.equal(made.voxels, read.scan.voxels):
            raise ValueError(
                f"a scan of {tuple(read.scan.voxels.shape)} voxels stays as it is, so that it would count as one that "
                "survived: it is too small, or of one intensity; leave the case, the severity or the corruption out"
            )
        with read.as_files(made) as files:
            taken, _ = self._segmented(files, made, read)
        before, after = read.scan.voxels.numpy(), made.voxels.numpy()
        width = image_range(before)
        visibility = {
            SSIM: structural_similarity(before, after, width),
            PSNR: peak_signal_to_noise(before, after, width),
        }
        return CaseRecord(
            case_id=asked.raw.case_id,
            condition=chosen.name,
            strength=float(asked.severity),
            clean=asked.clean,
            measures=taken,
            seconds=time.perf_counter() - begin,
            seed=self.seed,
            # Equal volumes have no PSNR.
            visibility={name: value for name, value in visibility.items() if math.isfinite(value)},
        )

    def _read(self, raw: RawCase) -> RawScan:
        # One after the other, a case's corruptions start from the same files.
        if self._last is None or self._last.raw != raw:
            self._last = RawScan.read(self.system, raw, self.modalities)
        return self._last

    def _segmented(self, files: RawCase, scan: Scan, read: RawScan) -> tuple[dict[str, PerClass], tuple[str, ...]]:
        """What is measured, and the notes on the files."""
        case = self.system.prepare(files)
        with evaluation_mode(self.system.model):
            labels = self.system.segment(case)
        return measure_labels(self.system, self.measures, labels, *RawScan.targets(scan), read.grid), case.notes


@dataclasses.dataclass(frozen=True)
class CorruptWorker:
    """Opens in a worker what the driver opened.

    Args:
        system: as the driver opened it.
        measures: configs of the METRICS registry.
        modalities: of the channels of the images.
        seed: of the corruptions.
    """

    system: SystemNames
    measures: tuple[Mapping[str, Any], ...]
    modalities: tuple[Modality, ...]
    seed: int

    def __call__(self) -> CaseCorrupter:
        """The function of the worker's jobs.

        Raises:
            ValueError: the system is not there, or is not what the driver opened.
        """
        opened = self.system.open()
        return CaseCorrupter(opened.system, build_measures(self.measures), self.modalities, self.seed)
