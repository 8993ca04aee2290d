"""Raw cases of one bright cuboid in noise, in nnU-Net's layout: learned in a moment, and easily attacked."""

import json
from pathlib import Path

import nibabel
import numpy as np


def write_bright_blobs(directory: Path, count: int = 10, shape: tuple[int, int, int] = (14, 15, 13)) -> Path:
    """Intensities from 0 to 255, so that 8/255 of the range is 8; the cuboid stands out by 30 from noise of 4."""
    for part in ("imagesTr", "labelsTr"):
        (directory / part).mkdir(parents=True)
    for number in range(count):
        generator = np.random.default_rng(number)
        first = generator.integers(2, 6, size=3)
        label = np.zeros(shape, dtype=np.uint8)
        label[first[0] : first[0] + 7, first[1] : first[1] + 6, first[2] : first[2] + 6] = 1
        image = np.clip(110 + 30.0 * label + generator.normal(0, 4, shape), 60, 200).astype(np.float32)
        image[0, 0, 0], image[-1, -1, -1] = 0, 255
        name = f"blob_{number:02d}"
        nibabel.save(nibabel.Nifti1Image(image, np.eye(4)), directory / "imagesTr" / f"{name}_0000.nii.gz")
        nibabel.save(nibabel.Nifti1Image(label, np.eye(4)), directory / "labelsTr" / f"{name}.nii.gz")
    index = {
        "channel_names": {"0": "MR"},
        "labels": {"background": 0, "organ": 1},
        "numTraining": count,
        "file_ending": ".nii.gz",
    }
    (directory / "dataset.json").write_text(json.dumps(index))
    return directory
