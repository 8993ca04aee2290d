"""From logits on the network's grid to a label map on the raw grid."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.inference.postprocessing import postprocess
from rogseg.preprocessing import (
    is_resampled,
    labels_to_raw_grid,
    maps_to_raw_grid,
    probabilities_to_raw_grid,
    write_label,
)
from rogseg.storage import CaseProperties
from rogseg.task_plan import TaskPlan

__all__ = ["raw_grid_labels", "raw_grid_probabilities", "write_prediction"]


def raw_grid_labels(logits: Tensor, plan: TaskPlan, properties: CaseProperties) -> NDArray[np.uint8]:
    """Post-process as the plan says and go to the raw grid.

    Where the grids differ, probabilities are interpolated rather than labels, so that borders fall between voxels;
    voxels that post-processing changed are certain of their new class. Equal grids give the highest class itself.

    Args:
        logits: (K, D, H, W) on the network's grid; overwritten where the grids differ.
        plan: classes and their post-processing.
        properties: of the case.

    Returns:
        (D, H, W) class indices on the raw grid.

    Raises:
        ValueError: the logits do not fit the plan or the case.
    """
    _check_shape(logits, plan, properties)
    before = logits.argmax(0).to(torch.uint8).cpu().numpy()
    labels = postprocess(before, plan)
    if not is_resampled(properties):
        return labels_to_raw_grid(labels, properties)
    probabilities = _softmax_in_place(logits).cpu().numpy()
    changed = labels != before
    if changed.any():
        for index in range(plan.num_classes):
            probabilities[index][changed] = labels[changed] == index
    return probabilities_to_raw_grid(probabilities, properties)


def raw_grid_probabilities(logits: Tensor, plan: TaskPlan, properties: CaseProperties) -> NDArray[np.float32]:
    """The softmax of logits (K, D, H, W), brought linearly to the raw grid; not post-processed.

    Raises:
        ValueError: the logits do not fit the plan or the case.
    """
    _check_shape(logits, plan, properties)
    return maps_to_raw_grid(_softmax_in_place(logits.detach().float().clone()).cpu().numpy(), properties)


def _check_shape(logits: Tensor, plan: TaskPlan, properties: CaseProperties) -> None:
    expected = (plan.num_classes, *properties.network_shape)
    if tuple(logits.shape) != expected:
        raise ValueError(f"case {properties.case_id!r}: logits have shape {tuple(logits.shape)}, expected {expected}")


def write_prediction(path: Path, labels: NDArray[np.uint8], plan: TaskPlan, properties: CaseProperties) -> None:
    """Write class indices as a NIfTI file with the raw label values, on the grid of the raw file and in its words.

    The file is there whole or not at all.

    Raises:
        ValueError: the map lies on another grid than the raw file.
    """
    if labels.shape != properties.raw_shape:
        raise ValueError(
            f"{path}: the label map has shape {labels.shape}, the raw file of case {properties.case_id!r} "
            f"{properties.raw_shape}"
        )
    values: NDArray[Any] = np.array(plan.label_values)
    write_label(path, values[labels], properties.raw_affine, properties.raw_forms)


def _softmax_in_place(logits: Tensor) -> Tensor:
    # Whole volumes: torch.softmax would hold a second and a third copy.
    logits -= logits.amax(0)
    logits.exp_()
    logits /= logits.sum(0)
    return logits
