"""What every evaluation in the grid of the raw files shares: its protocol, and the measures of a case."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.cases import Case
from rogseg.evaluation.case_record import PerClass
from rogseg.metrics import Measure, measure_classes
from rogseg.preprocessing import Volume, open_raw
from rogseg.storage import CaseProperties, RawCase
from rogseg.systems import System

__all__ = ["RAW_GRID", "default_measures", "grid_of", "grid_of_file", "measure_labels", "measures_for"]

RAW_GRID = "raw grid"
"""The protocol of such an evaluation."""


def default_measures(tolerance: float) -> tuple[Mapping[str, Any], ...]:
    """What is measured where nothing else is asked for, with the tolerance of NSD [mm]: configs of METRICS."""
    surface = {"type": "NSD", "tolerance": tolerance}
    others = ("HD95", "VolumeError", "FalseVolume")
    return ({"type": "Dice"}, surface, *({"type": name} for name in others))


def measures_for(system: System, asked: Sequence[Mapping[str, Any]] | None) -> tuple[Mapping[str, Any], ...]:
    """What is measured of a system: what is asked for, else `default_measures` with the system's tolerance."""
    return default_measures(system.surface_tolerance) if asked is None else tuple(asked)


def measure_labels(
    system: System,
    measures: Sequence[Measure],
    prediction: NDArray[Any],
    target: NDArray[Any],
    counts: NDArray[np.bool_] | None,
    grid: Volume,
) -> dict[str, PerClass]:
    """All measures of a prediction.

    Args:
        system: that made it.
        measures: to take.
        prediction: (D, H, W) class indices on the grid of the files.
        target: (D, H, W) the same of the label.
        counts: (D, H, W) which voxels count; None is all.
        grid: of the files.
    """
    if counts is not None:
        prediction = np.where(counts, prediction, 0)
    return measure_classes(measures, prediction, target, grid.spacing, system.class_indices)


def grid_of(raw: RawCase, case: Case) -> Volume:
    """The raw grid of a prepared case; its voxels are not looked at."""
    if isinstance(case.properties, CaseProperties):
        blank = np.broadcast_to(np.float32(0), (1, *case.properties.raw_shape))
        return Volume(blank, np.array(case.properties.raw_affine), forms=case.properties.raw_forms)
    return grid_of_file(raw.images[0])


def grid_of_file(path: Path) -> Volume:
    """The grid of an image or label file; its voxels are not looked at.

    Raises:
        ValueError: the file cannot be used.
    """
    file = open_raw(path)
    blank: NDArray[np.float32] = np.broadcast_to(np.float32(0), (1, *file.shape[:3]))
    return Volume(blank, file.affine, forms=file.forms)
