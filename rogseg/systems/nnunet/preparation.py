"""From raw files to the case that an nnU-Net sees, through its own reader and preprocessor."""

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case
from rogseg.preprocessing import Volume, read_image, read_label
from rogseg.storage import RawCase
from rogseg.systems.label_classes import LabelClasses
from rogseg.systems.nnunet.intensity import RawLine, case_box, frozen_by_mask, raw_line
from rogseg.systems.nnunet.trained_folder import TrainedFolder

__all__ = ["CaseReader", "NNUNetProperties"]

OUTSIDE = -1  # nnU-Net's mark for voxels outside of the nonzero mask


@dataclasses.dataclass(frozen=True)
class NNUNetProperties:
    """What leads from a prepared case back to the raw one.

    Args:
        raw_shape: (D, H, W) of the raw image, in the axis order of its file.
        lines: of each channel, from network units to raw ones.
        own: what nnU-Net's export needs.
    """

    raw_shape: tuple[int, ...]
    lines: tuple[RawLine, ...]
    own: dict[str, Any]


class CaseReader:
    """Prepares raw cases for one trained network."""

    def __init__(self, folder: TrainedFolder, classes: LabelClasses) -> None:
        from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor

        self.folder, self.classes = folder, classes
        self._plans, self._configuration, _ = folder.managers()
        self._reader = self._plans.image_reader_writer_class()
        self._preprocessor = DefaultPreprocessor(verbose=False)

    def prepare(self, raw: RawCase) -> Case:
        """The case on the network's grid.

        The image comes from a run without the label: given both, nnU-Net takes labelled voxels outside of the nonzero
        mask into the mask, and z-scores with them; the image would depend on the label.

        Raises:
            ValueError: a file cannot be used.
        """
        settings, num_channels = self.folder.settings, len(self.folder.dataset["channel_names"])
        # Our readers find what nnU-Net's do not: damage, NaN, other channels, a label on another grid.
        volume = read_image(raw.images, num_channels)
        images, own = self._read(raw.images)
        if images.shape[0] != num_channels or not images.any():
            raise ValueError(
                f"{raw.images[0]}: nnU-Net's reader finds {images.shape[0]} channels of {num_channels}, or an image of "
                "zeros; give one 3-D file per channel"
            )
        try:
            values, mask, own = self._run(images, None, own)
        except AssertionError as error:  # nnU-Net's normalisation of colours
            raise ValueError(
                f"{raw.images[0]}: nnU-Net's preprocessing does not take it ({error}); give images in the units that "
                "the network was trained on"
            ) from error
        inputs = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None]
        movable = torch.from_numpy(mask != OUTSIDE)[None] if frozen_by_mask(settings) else None
        targets = None
        if raw.label is not None:
            read_label(raw.label, raw.images[0], volume, self.classes.raw_values)
            targets, labelled = self._targets(raw.label, images, own)
            movable = labelled if movable is None else movable if labelled is None else movable & labelled
        lines = self._lines(images, own)
        intensities = [
            self._plans.foreground_intensity_properties_per_channel[str(channel)] for channel in range(num_channels)
        ]
        box = case_box(settings["normalization_schemes"], intensities, inputs, raw.case_id)
        return Case(
            case_id=raw.case_id,
            inputs=inputs,
            targets=targets,
            box=box,
            movable=None if movable is None or movable.all() else movable,
            raw_width=tuple(
                line.scale * width for line, width in zip(lines, box.width.flatten().tolist(), strict=True)
            ),
            spacing=self._spacing(own, inputs.shape[2:]),
            axes=self._axes(volume),
            properties=NNUNetProperties(volume.shape, lines, own),
            notes=(*raw.notes, *volume.notes),
        )

    def _read(self, paths: tuple[Path, ...]) -> tuple[NDArray[np.float32], dict[str, Any]]:
        try:
            images, own = self._reader.read_images([str(path) for path in paths])
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"{paths[0]}: nnU-Net's {type(self._reader).__name__} does not read this case ({str(error).strip()}); "
                "give one 3-D file per channel, all on one grid whose axes are orthogonal"
            ) from error
        return images, own

    def _run(self, images: NDArray[Any], labels: Any, own: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        return self._preprocessor.run_case_npy(
            images, labels, copy.deepcopy(own), self._plans, self._configuration, copy.deepcopy(self.folder.dataset)
        )

    def _targets(self, label: Path, images: NDArray[Any], own: dict[str, Any]) -> tuple[Tensor, Tensor | None]:
        """Class indices (1, D, H, W), and where the case is labelled, (1, 1, D, H, W), where that is not everywhere."""
        labels, _ = self._read((label,))
        _, labels, _ = self._run(images, np.rint(labels), {"spacing": own["spacing"]})
        labels = np.where(labels == OUTSIDE, 0, labels).astype(np.int64)
        targets = torch.from_numpy(self.classes.indices_of_raw(labels).astype(np.int64))
        labelled = self.classes.labelled(labels)
        return targets, None if labelled is None else torch.from_numpy(labelled)[None]

    def _spacing(self, own: dict[str, Any], shape: Sequence[int]) -> tuple[float, float, float]:
        """Of the network's grid [mm]: it covers the extent of the cropped image."""
        axes, cropped = self._plans.transpose_forward, own["shape_after_cropping_and_before_resampling"]
        z, y, x = (
            float(own["spacing"][axis]) * before / after
            for axis, before, after in zip(axes, cropped, shape, strict=True)
        )
        return z, y, x

    def _axes(self, volume: Volume) -> str:
        turned = type(self._reader).__name__.endswith("WithReorient")
        of_file = None if turned else volume.orientation
        z_y_x = (of_file or "RAS")[::-1]  # the order of its readers
        return "".join(z_y_x[axis] for axis in self._plans.transpose_forward)

    def _lines(self, images: NDArray[Any], own: dict[str, Any]) -> tuple[RawLine, ...]:
        from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero

        settings = self.folder.settings
        axes = [0, *(axis + 1 for axis in self._plans.transpose_forward)]
        cropped, mask, _ = crop_to_nonzero(images.transpose(axes))
        properties = self._plans.foreground_intensity_properties_per_channel
        return tuple(
            raw_line(scheme, masked, properties[str(channel)], cropped[channel], mask[0] != OUTSIDE)
            for channel, (scheme, masked) in enumerate(
                zip(settings["normalization_schemes"], settings["use_mask_for_norm"], strict=True)
            )
        )
