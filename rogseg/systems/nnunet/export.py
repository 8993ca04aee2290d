"""From logits to the label map that nnU-Net's own command writes, in the raw grid."""

import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.systems.nnunet.trained_folder import TrainedFolder

__all__ = ["Exporter"]


class Exporter:
    """Runs nnU-Net's export for one trained network: resampling, decision, the crop and the axes undone."""

    def __init__(self, folder: TrainedFolder) -> None:
        self._managers = folder.managers()

    def raw_labels(self, logits: Tensor, own: dict[str, Any]) -> NDArray[Any]:
        """The label values (D, H, W) that nnU-Net writes, in the axis order of the raw file.

        Args:
            logits: (1, L, D, H, W) of a whole prepared case, float32 or float16.
            own: nnU-Net's properties of the case.
        """
        from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape

        plans, configuration, labels = self._managers
        written: NDArray[Any] = convert_predicted_logits_to_segmentation_with_correct_shape(
            logits.detach()[0].cpu(), plans, configuration, labels, own, num_threads_torch=torch.get_num_threads()
        )
        reader = plans.image_reader_writer_class()
        if type(reader).__name__.endswith("WithReorient"):
            return self._through_a_file(reader, written, own)
        # Its readers have the axes (z, y, x).
        return written.transpose(2, 1, 0)

    def _through_a_file(self, writer: Any, written: NDArray[Any], own: dict[str, Any]) -> NDArray[Any]:
        """Let a reader that turned the axes turn them back as it writes."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "labels.nii.gz"
            writer.write_seg(written, str(path), own)
            return np.asarray(nibabel.load(path).dataobj)
