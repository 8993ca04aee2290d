"""From logits on the network's grid to a label map on the raw grid."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.inference.postprocessing import postprocess
from rogseg.preprocessing import probabilities_to_raw_grid, write_label
from rogseg.storage import CaseProperties
from rogseg.task_plan import TaskPlan

__all__ = ["raw_grid_labels", "write_prediction"]


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
    expected = (plan.num_classes, *properties.network_shape)
    if tuple(logits.shape) != expected:
        raise ValueError(f"case {properties.case_id!r}: logits have shape {tuple(logits.shape)}, expected {expected}")
    before = logits.argmax(0).to(torch.uint8).cpu().numpy()
    labels = postprocess(before, plan)
    if properties.raw_shape == properties.network_shape:
        return labels
    probabilities = _softmax_in_place(logits).cpu().numpy()
    changed = labels != before
    if changed.any():
        for index in range(plan.num_classes):
            probabilities[index][changed] = labels[changed] == index
    return probabilities_to_raw_grid(probabilities, properties)


def write_prediction(path: Path, labels: NDArray[np.uint8], plan: TaskPlan, properties: CaseProperties) -> None:
    """Write class indices as a NIfTI file with the raw label values and the raw affine; whole or not at all."""
    values: NDArray[Any] = np.array(plan.label_values)
    write_label(path, values[labels], properties.raw_affine)


def _softmax_in_place(logits: Tensor) -> Tensor:
    # Whole volumes: torch.softmax would hold a second and a third copy.
    logits -= logits.amax(0)
    logits.exp_()
    logits /= logits.sum(0)
    return logits
