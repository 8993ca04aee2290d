"""What anatomy says about a label map: one organ is one piece, and a speck is no lesion."""

import dataclasses
from collections.abc import Sequence

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rogseg.task_plan import TaskPlan

__all__ = ["fuse_small_lesions", "keep_largest_component", "postprocess", "postprocess_class", "with_postprocessing"]

Labels = NDArray[np.uint8]


def postprocess(labels: Labels, plan: TaskPlan) -> Labels:
    """Treat every class for which the plan says so, lesions first: a fused speck may be a part of the organ.

    Args:
        labels: (D, H, W) class indices in the network's grid.
        plan: kinds, sizes and the choice for each class.

    Returns:
        A new array; ``labels`` is left as it is.
    """
    chosen = [index for index, entry in enumerate(plan.classes, start=1) if entry.postprocess]
    for index in sorted(chosen, key=lambda index: plan.classes[index - 1].kind == "organ"):
        labels = postprocess_class(labels, plan, index)
    return labels.copy() if not chosen else labels


def postprocess_class(labels: Labels, plan: TaskPlan, index: int) -> Labels:
    """Treat class ``index`` (counted from 1) as its kind asks, whatever the plan says of the choice."""
    entry = plan.classes[index - 1]
    if entry.kind == "organ":
        lesions = [other for other, one in enumerate(plan.classes, start=1) if one.kind == "lesion"]
        return keep_largest_component(labels, index, lesions)
    return fuse_small_lesions(labels, index, entry.min_voxels)


def keep_largest_component(labels: Labels, organ: int, lesions: Sequence[int] = ()) -> Labels:
    """Turn all of an organ but its largest component (26 neighbours) into background.

    Lesions count as part of the organ when components are found, so that a lesion which cuts an organ in two does not
    cost it one half; they stay what they are.

    Source: Daza et al. 2021 (ROG), post-processing; that lesions connect is ours.
    """
    result = labels.copy()
    components, number = cc3d.connected_components(np.isin(labels, (organ, *lesions)), connectivity=26, return_N=True)
    if number > 1:
        of_organ = np.bincount(components[labels == organ], minlength=number + 1)
        result[(labels == organ) & (components != of_organ.argmax())] = 0
    return result


def fuse_small_lesions(labels: Labels, lesion: int, min_voxels: int) -> Labels:
    """Give each component (26 neighbours) of a lesion under ``min_voxels`` the class that most of its border has.

    Source: Daza et al. 2021 (ROG), post-processing.
    """
    result = labels.copy()
    components, number = cc3d.connected_components(labels == lesion, connectivity=26, return_N=True)
    if number == 0:
        return result
    statistics = cc3d.statistics(components)
    everything = np.ones((3, 3, 3), dtype=bool)
    for component in range(1, number + 1):
        if statistics["voxel_counts"][component] >= min_voxels:
            continue
        around = tuple(slice(max(cut.start - 1, 0), cut.stop + 1) for cut in statistics["bounding_boxes"][component])
        inside = components[around] == component
        border = ndimage.binary_dilation(inside, everything) & ~inside
        neighbours = np.bincount(labels[around][border])
        # A lesion that fills the whole volume has no border and stays.
        if neighbours.size:
            result[around][inside] = neighbours.argmax()
    return result


def with_postprocessing(plan: TaskPlan, chosen: Sequence[int]) -> TaskPlan:
    """The plan with post-processing switched on for the classes ``chosen`` (counted from 1) and off for the others."""
    classes = tuple(
        dataclasses.replace(entry, postprocess=index in chosen) for index, entry in enumerate(plan.classes, start=1)
    )
    return dataclasses.replace(plan, classes=classes)
