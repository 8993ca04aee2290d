"""One case from raw files to the network's grid and units."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.normalization import case_box, normalize, refuse_empty_windows, window_notes
from rogseg.preprocessing.orientation import SAME_AXES, axes_between, axes_of_file, in_plan_order, to_plan_order
from rogseg.preprocessing.raw_reading import read_image, read_label
from rogseg.preprocessing.resampling import coarse_axis, network_shape, resample_image, resample_labels
from rogseg.preprocessing.rescaling import case_ranges, rescaling_of
from rogseg.preprocessing.source_digest import digest_case, storage_digest
from rogseg.preprocessing.volume import Volume
from rogseg.storage import CaseProperties, case_id_of
from rogseg.task_plan import TaskPlan

__all__ = ["preprocess_case", "preprocess_volume"]

Preprocessed = tuple[NDArray[np.float32], NDArray[np.uint8] | None, CaseProperties]

MAX_PLACES = 1000


def preprocess_case(
    images: Sequence[Path], plan: TaskPlan, label: Path | None = None, case_id: str | None = None
) -> Preprocessed:
    """Read a case and bring it to the network's grid and units, as training cases are; nothing is cropped.

    Args:
        images: one file, or one per channel.
        plan: the task's plan.
        label: the label file, if there is one.
        case_id: the name of the case; that of the first file where it is None.

    Returns:
        Image (C, D, H, W) float32 [network units], class indices (D, H, W) uint8 or None, and the case's properties.

    Raises:
        ValueError: a file cannot be used; the message names it, what is wrong and what to do.
    """
    volume = read_image(images, plan.num_channels)
    labels = None if label is None else read_label(label, images[0], volume, plan.label_values)
    raw = digest_case(images, label)
    name = case_id_of(images[0]) if case_id is None else case_id
    digest = storage_digest(raw, plan, axes_of_file(images[0], volume.orientation, plan.orientation))
    return preprocess_volume(volume, plan, labels, name, digest, raw)


def preprocess_volume(
    volume: Volume,
    plan: TaskPlan,
    labels: NDArray[np.uint8] | None,
    case_id: str,
    source_digest: str = "",
    raw_digest: str = "",
) -> Preprocessed:
    """Do the same with arrays; ``volume`` and ``labels`` (class indices) are left as they are.

    Raises:
        ValueError: the volume cannot be used, or the labels do not fit it; the message names the case.
    """
    where = f"case {case_id!r}"
    if len(volume.array) != plan.num_channels:
        raise ValueError(f"{where} has {len(volume.array)} channels, task {plan.name!r} {plan.num_channels}")
    if labels is not None and (labels.shape != volume.shape or int(labels.max()) >= plan.num_classes):
        raise ValueError(
            f"{where}: the labels have shape {labels.shape} and values up to {int(labels.max())}; they must be class "
            f"indices below {plan.num_classes} on the image's grid {volume.shape}"
        )
    # The range that MR is rescaled by is that of the raw voxels: a spline overshoots.
    rescalings = [rescaling_of(channel) for channel in plan.channels]
    box = case_box(plan.channels, *zip(*case_ranges(volume, rescalings, [where] * plan.num_channels), strict=True))
    ours, theirs = plan.orientation, volume.orientation
    axes = SAME_AXES if ours is None or theirs is None else axes_between(theirs, ours)
    raw, spacing = to_plan_order(volume.array, axes), in_plan_order(volume.spacing, axes)
    shape = network_shape(raw.shape[1:], spacing, plan, where)
    nearest_axis = coarse_axis(spacing, plan.spacing)
    image = resample_image(raw, shape, nearest_axis)
    if image is volume.array:
        image = image.copy()
    clipped = normalize(image, box)
    refuse_empty_windows(image, plan.channels, box, volume, where)
    if labels is not None:
        labels = resample_labels(to_plan_order(labels, axes), plan.num_classes, shape, nearest_axis)
    properties = CaseProperties(
        case_id=case_id,
        raw_shape=volume.shape,
        raw_affine=tuple(tuple(row) for row in volume.affine.tolist()),
        raw_spacing=volume.spacing,
        network_shape=shape,
        raw_lower=box.raw_lower,
        raw_upper=box.raw_upper,
        box_lower=box.box_lower,
        box_upper=box.box_upper,
        source_digest=source_digest,
        class_places=None if labels is None else _class_places(labels, plan.num_classes, case_id),
        raw_digest=raw_digest,
        axes=axes,
        raw_forms=volume.forms,
        notes=(*volume.notes, *window_notes(plan.channels, clipped)),
    )
    return image, labels, properties


def _class_places(labels: NDArray[np.uint8], num_classes: int, case_id: str) -> dict[int, list[int]]:
    """Up to `MAX_PLACES` voxels of each class, seeded by the case's name."""
    generator = np.random.default_rng(zlib.crc32(case_id.encode()))
    sampled = {}
    for index in range(1, num_classes):
        places = np.flatnonzero(labels == index)
        if len(places):
            chosen = np.sort(generator.choice(len(places), min(len(places), MAX_PLACES), replace=False))
            sampled[index] = places[chosen].tolist()
    return sampled
