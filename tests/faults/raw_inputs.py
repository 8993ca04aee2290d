"""Small raw files and tasks that the tables of faults break."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

SHAPE = (12, 13, 14)


def voxels(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)


def labels(shape: tuple[int, ...] = SHAPE) -> NDArray[np.uint8]:
    label = np.zeros(shape, np.uint8)
    label[2:10, 2:10, 2:10] = 1
    label[4:7, 4:7, 4:7] = 2
    return label


def image(path: Path, array: NDArray[Any] | None = None, affine: NDArray[Any] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = voxels() if array is None else array
    nibabel.save(nibabel.Nifti1Image(data, np.eye(4) if affine is None else affine, dtype=data.dtype), path)
    return path


def edited(path: Path, change: Callable[[Any], object]) -> Path:
    """Change the header of a NIfTI file that ``image`` wrote."""
    file = nibabel.load(path)
    content = file.to_bytes()
    header = nibabel.Nifti1Header(content[:348], check=False)
    change(header)
    content = header.binaryblock + content[348:]
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def patched(path: Path, place: int, form: str, *values: float) -> Path:
    """Overwrite fields of a header by their place in the file."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into(f"<{form}", content, place, *values)
    path.write_bytes(gzip.compress(bytes(content)))
    return path


def task(directory: Path, num_training: int = 4, num_test: int = 1, **changes: Any) -> Path:
    """A task in MSD layout; ``changes`` are entries of its dataset.json."""
    names = [f"case_{number}.nii.gz" for number in range(num_training + num_test)]
    for number, name in enumerate(names):
        training = number < num_training
        image(directory / ("imagesTr" if training else "imagesTs") / name, voxels(number) + 40 * labels())
        if training:
            image(directory / "labelsTr" / name, labels())
    index = {
        "modality": {"0": "MRI"},
        "labels": {"0": "background", "1": "organ", "2": "tumour"},
        "training": [{"image": f"./imagesTr/{n}", "label": f"./labelsTr/{n}"} for n in names[:num_training]],
        "test": [f"./imagesTs/{name}" for name in names[num_training:]],
        **changes,
    }
    (directory / "dataset.json").write_text(json.dumps(index))
    return directory


def flip(path: Path, share: float = 0.5) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(share * (len(content) - 1))] ^= 16
    path.write_bytes(content)
