"""CaseSegmenter: segments one raw case, writes its label map and measures it; it can run anywhere."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rogseg.attacks.model_state import evaluation_mode
from rogseg.engine.accuracy.raw_grid import grid_of, measure_labels
from rogseg.engine.case_recording import case_fault
from rogseg.engine.case_workers import SystemNames
from rogseg.engine.digests import digest_of_file
from rogseg.evaluation.case_record import CaseRecord, PerClass
from rogseg.metrics import Measure, build_measures
from rogseg.preprocessing import write_image, write_label
from rogseg.storage import RawCase
from rogseg.systems import System

__all__ = ["CaseSegmenter", "SegmentWorker", "prediction_path", "probabilities_path"]


def prediction_path(directory: Path, case_id: str) -> Path:
    """Where the label map of a case goes."""
    return directory / "predictions" / f"{case_id}.nii.gz"


def probabilities_path(directory: Path, case_id: str) -> Path:
    """Where the probabilities of a case go: a 4-D file, one volume per class, the background first."""
    return directory / "probabilities" / f"{case_id}.nii.gz"


@dataclasses.dataclass(frozen=True)
class CaseSegmenter:
    """Makes the prediction and the record of one case.

    Args:
        system: what segments.
        directory: of the evaluation; predictions go into a folder of it.
        measures: taken where the case has a label.
        save_probabilities: whether those of the classes are written, too.
    """

    system: System
    directory: Path
    measures: Sequence[Measure]
    save_probabilities: bool = False

    def __call__(self, raw: RawCase) -> tuple[CaseRecord] | str:
        """The record of a case; of one that cannot be used, what is wrong with it, since the others go on."""
        try:
            return (self._segment(raw),)
        except ValueError as error:
            return case_fault(raw.case_id, error)

    def _segment(self, raw: RawCase) -> CaseRecord:
        begin, system = time.perf_counter(), self.system
        case = system.prepare(dataclasses.replace(raw, label=None))
        grid = grid_of(raw, case)
        with torch.no_grad(), evaluation_mode(system.model):
            logits = system.finite_logits(case)
            if self.save_probabilities:
                maps = system.raw_probabilities(logits, case)
                write_image(probabilities_path(self.directory, raw.case_id), maps, grid.affine, grid.forms)
            labels = system.to_raw(logits, case)
        path = prediction_path(self.directory, raw.case_id)
        values: NDArray[np.int64] = np.array(system.label_values, dtype=np.int64)[labels]
        write_label(path, values, grid.affine, grid.forms)
        taken: dict[str, PerClass] = {}
        if raw.label is not None:
            taken = measure_labels(system, self.measures, labels, *system.read_targets(raw, grid), grid)
        seconds = time.perf_counter() - begin
        return CaseRecord.of_clean(
            raw.case_id, taken, seconds=seconds, prediction=digest_of_file(path), notes=case.notes
        )


@dataclasses.dataclass(frozen=True)
class SegmentWorker:
    """Opens in a worker what the driver opened. Predictions are written by whoever makes them.

    Args:
        system: as the driver opened it.
        directory: of the evaluation, under the same path for every worker.
        measures: configs of the METRICS registry.
        save_probabilities: whether those of the classes are written, too.
    """

    system: SystemNames
    directory: Path
    measures: tuple[Mapping[str, Any], ...]
    save_probabilities: bool = False

    def __call__(self) -> CaseSegmenter:
        """The function of the worker's jobs.

        Raises:
            ValueError: the system is not there, or is not what the driver opened.
        """
        opened = self.system.open()
        return CaseSegmenter(opened.system, self.directory, build_measures(self.measures), self.save_probabilities)
