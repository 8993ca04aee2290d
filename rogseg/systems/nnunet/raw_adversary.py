"""An adversarial case as a raw volume: what a patient's file would have to hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case
from rogseg.preprocessing import Volume, read_image
from rogseg.storage import RawCase
from rogseg.systems.moved_values import Window, moved_volume
from rogseg.systems.nnunet.trained_folder import TrainedFolder

__all__ = ["raw_adversary"]

# nnU-Net's normalisations whose numbers are those of the case, not of the plan.
OF_THE_CASE = ("ZScoreNormalization", "RescaleTo01Normalization")


def raw_adversary(folder: TrainedFolder, raw: RawCase, case: Case, adversarial: Tensor) -> Volume:
    """The raw image, moved as the prepared case was moved.

    Read again, it gives the adversarial case up to rounding where the plan neither resamples nor normalises by the
    case's own statistics. Elsewhere its notes say that it is another volume, and its own result belongs beside the
    attack's: moved voxels shift a case's mean and deviation, and a perturbation that goes through two grids is
    smoothed. It is interpolated linearly, so that no voxel moves further than it may.

    Args:
        folder: of the network.
        raw: the case's files.
        case: as the network's system prepared it.
        adversarial: (1, C, D, H, W) [network units].

    Raises:
        ValueError: the plan's reader turns the axes of files, or a file cannot be used.
    """
    if folder.plans["image_reader_writer"].endswith("WithReorient"):
        raise ValueError(
            f"{folder.path}: its reader turns the axes of files, and what was moved is not turned back; adversarial "
            "raw volumes are written for the readers SimpleITKIO and NibabelIO"
        )
    scale = np.array([line.scale for line in case.properties.lines], dtype=np.float64)
    moved = (adversarial.detach() - case.inputs)[0].double().cpu().numpy() * scale[:, None, None, None]
    raw_moved = _on_raw_grid(folder, moved, case.properties.own)
    volume = read_image(raw.images, len(scale))
    own_range = [scheme in OF_THE_CASE for scheme in folder.settings["normalization_schemes"]]
    notes = [
        f"channel {channel} is normalised by the case's own numbers, which move with its voxels"
        for channel, moves_along in enumerate(own_range)
        if moves_along
    ]
    if tuple(case.inputs.shape[2:]) != tuple(case.properties.own["shape_after_cropping_and_before_resampling"]):
        notes.insert(0, "its plan resamples the case")
    if (
        case.properties.own["shape_before_cropping"]
        != case.properties.own["shape_after_cropping_and_before_resampling"]
    ):
        notes.append("voxels outside of its crop count in the grid of the files alone")
    if any(folder.settings["use_mask_for_norm"]):
        notes.append("voxels that its plan freezes count in the grid of the files alone")
    return moved_volume(volume, raw_moved, _windows(folder), [False] * len(scale), notes)


def _on_raw_grid(folder: TrainedFolder, moved: NDArray[np.float64], own: dict[str, Any]) -> NDArray[np.float64]:
    """From (C, ...) on the network's grid to (C, D, H, W) on the raw one, 0 outside of the crop."""
    plans, configuration, _ = folder.managers()
    spacing = [own["spacing"][axis] for axis in plans.transpose_forward]
    network_spacing = [*spacing[:1], *configuration.spacing] if folder.slices else configuration.spacing
    cropped = configuration.resampling_fn_probabilities(
        moved, own["shape_after_cropping_and_before_resampling"], network_spacing, spacing
    )
    whole = np.zeros((len(moved), *own["shape_before_cropping"]))
    whole[(slice(None), *(slice(first, last) for first, last in own["bbox_used_for_cropping"]))] = cropped
    # Then nnU-Net's own order of axes, and last that of files: (z, y, x) is (x, y, z).
    z, y, x = plans.transpose_backward
    return whole.transpose(0, x + 1, y + 1, z + 1)


def _windows(folder: TrainedFolder) -> Sequence[Window]:
    """What each channel is clipped to [raw units]; None where it is not."""
    properties = folder.plans["foreground_intensity_properties_per_channel"]
    return [
        (properties[str(channel)]["percentile_00_5"], properties[str(channel)]["percentile_99_5"])
        if scheme == "CTNormalization"
        else None
        for channel, scheme in enumerate(folder.settings["normalization_schemes"])
    ]
