"""Small raw files for the tests of preprocessing."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray


def save(path: Path, array: NDArray[Any], affine: NDArray[Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
    return path


def noise(shape: Sequence[int], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)


def cube_label(shape: Sequence[int]) -> NDArray[np.uint8]:
    """Class 1 is a box in the middle, class 2 a smaller one within."""
    label = np.zeros(shape, np.uint8)
    label[tuple(slice(length // 4, length - length // 4) for length in shape)] = 1
    label[tuple(slice(length // 2 - 1, length // 2 + 2) for length in shape)] = 2
    return label


def write_task(directory: Path, num_training: int = 4, num_test: int = 1, modality: str = "MRI") -> Path:
    """A task in MSD layout whose cases differ in size and content, with spacing 1 x 1 x 2 mm."""
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    shape = (16, 18, 12)
    training, test = [], []
    for number in range(num_training + num_test):
        name = f"case_{number}.nii.gz"
        folder = "imagesTr" if number < num_training else "imagesTs"
        label = cube_label((shape[0] + number, *shape[1:]))
        save(directory / folder / name, noise(label.shape, number) + 50.0 * label, affine)
        if number < num_training:
            save(directory / "labelsTr" / name, label, affine)
            training.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
        else:
            test.append(f"./imagesTs/{name}")
    index = {
        "modality": {"0": modality},
        "labels": {"0": "background", "1": "organ", "2": "tumour"},
        "training": training,
        "test": test,
    }
    (directory / "dataset.json").write_text(json.dumps(index))
    return directory
