"""What every evaluation in the grid of the raw files shares: its identity, and the measures of a case."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.cases import Case
from rogseg.engine.evaluated_system import evaluated_channels, evaluated_system, record_versions
from rogseg.evaluation.case_record import PerClass
from rogseg.evaluation.identity import CaseSelection, Condition, EvaluationIdentity
from rogseg.metrics import Measure, measure_classes
from rogseg.preprocessing import Volume, read_image
from rogseg.storage import CaseProperties, RawCase
from rogseg.systems import System

__all__ = ["default_measures", "grid_of", "measure_labels", "raw_grid_identity"]


def default_measures(system: System) -> tuple[Mapping[str, Any], ...]:
    """What is measured where nothing else is asked for: configs of the METRICS registry."""
    surface = {"type": "NSD", "tolerance": system.surface_tolerance}
    others = ("HD95", "VolumeError", "FalseVolume")
    return ({"type": "Dice"}, surface, *({"type": name} for name in others))


def raw_grid_identity(
    system: System,
    task: str,
    measures: Sequence[Measure],
    data: Mapping[str, str],
    *,
    condition: Condition | None,
    selection: CaseSelection,
    seed: int | None,
    fold: int | None,
    leak: str,
) -> EvaluationIdentity:
    """The identity of an evaluation of raw cases; see `EvaluationIdentity`."""
    return EvaluationIdentity(
        system=evaluated_system(system),
        task=task,
        classes=system.class_names,
        channels=evaluated_channels(system),
        data=data,
        condition=condition,
        threat=None,
        criterion=None,
        protocol="raw grid",
        window_size=system.window_size,
        overlap=None,
        measures=tuple(measure.describe() for measure in measures),
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
        versions=record_versions(),
    )


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
    return read_image(raw.images[:1], 1)
