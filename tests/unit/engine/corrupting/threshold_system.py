"""A system whose decision is known in closed form: a voxel is an organ where its raw intensity passes a threshold."""

import json
from pathlib import Path
from typing import ClassVar

import nibabel
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case, IntensityBox, LogitFn
from rogseg.preprocessing import read_image
from rogseg.registry import SYSTEMS
from rogseg.storage import RawCase
from rogseg.systems import System
from rogseg.systems.base import SystemChannel, SystemClass, SystemIdentity
from tests.unit.corruptions.scans import SHAPE, mr_scan


@SYSTEMS.register_module()
class ThresholdSystem(System):
    """Class 1 above ``threshold`` in the first channel, [raw units]."""

    classes = (SystemClass("organ", (5,)),)
    prepared: ClassVar[list[RawCase]] = []

    def __init__(self, threshold: float = 400.0, modality: str = "MRI", num_channels: int = 1) -> None:
        self.threshold = threshold
        unit = "HU" if modality == "CT" else "scanner units of the case"
        self.channels = tuple(SystemChannel(f"{modality} {index}", modality, unit) for index in range(num_channels))
        options = {"threshold": threshold}
        self.identity = SystemIdentity("threshold", f"threshold at {threshold:g}", "none", options, {})

    def prepare(self, raw: RawCase) -> Case:
        ThresholdSystem.prepared.append(raw)
        volume = read_image(raw.images, len(self.channels))
        box = IntensityBox.per_channel([-1e4] * len(volume.array), [1e4] * len(volume.array))
        return Case(raw.case_id, torch.from_numpy(volume.array)[None], None, box, properties=volume.shape)

    @property
    def logits(self) -> LogitFn:
        return lambda inputs: torch.cat([torch.zeros_like(inputs[:, :1]), inputs[:, :1] - self.threshold], dim=1)

    def to_raw(self, logits: Tensor, case: Case) -> NDArray[np.uint8]:
        labels: NDArray[np.uint8] = logits[0].argmax(0).to(torch.uint8).numpy()
        return labels


def write_mr_task(folder: Path, num_cases: int = 3, num_channels: int = 1) -> Path:
    """A raw task in the layout of the MSD: the MR phantom, a little darker from case to case; the organ has label 5."""
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    scan = mr_scan(num_channels)
    assert scan.labels is not None
    affine = np.diag([*scan.spacing, 1.0])
    # The organ is what passes 400, so that a threshold finds it exactly.
    label = ((scan.voxels[0] > 400).numpy() * 5).astype(np.uint8)
    assert label.shape == SHAPE
    for number in range(num_cases):
        image = np.moveaxis(scan.voxels.numpy(), 0, -1) - 5 * number * (label == 0)[..., None]
        image = image[..., 0] if num_channels == 1 else image
        nibabel.save(nibabel.Nifti1Image(image.astype(np.float32), affine), folder / f"imagesTr/p_{number}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(label, affine), folder / f"labelsTr/p_{number}.nii.gz")
    names = [f"p_{number}" for number in range(num_cases)]
    index = {
        "name": "phantom",
        "modality": {str(index): "MRI" for index in range(num_channels)},
        "labels": {"0": "background", "5": "organ"},
        "training": [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in names],
        "test": [],
    }
    (folder / "dataset.json").write_text(json.dumps(index))
    return folder


def raw_cases(folder: Path) -> tuple[RawCase, ...]:
    images = sorted((folder / "imagesTr").iterdir())
    return tuple(
        RawCase(path.name.removesuffix(".nii.gz"), (path,), folder / "labelsTr" / path.name) for path in images
    )
