"""An image as a user gives it: files, an array or a volume; and where a label map of it may go."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing import Volume
from rogseg.storage import is_nifti

__all__ = ["Image", "given_files", "given_volume", "refuse_destination"]

Image = str | Path | Sequence[Path] | Volume | NDArray[np.float32]


def given_volume(image: Image, spacing: Sequence[float] | None) -> Volume | None:
    """A volume, or that of an array with its spacing [mm]; None of files.

    Raises:
        ValueError: an array comes without a spacing, or something else with one.
    """
    if isinstance(image, np.ndarray):
        if spacing is None:
            raise ValueError("an array says nothing of its grid: pass spacing=(x, y, z) [mm] with it")
        return Volume.of_array(image, spacing)
    if spacing is not None:
        raise ValueError("spacing is that of an array; files and volumes say theirs, so leave it out")
    return image if isinstance(image, Volume) else None


def given_files(image: object) -> list[Path]:
    """One file, or one per channel.

    Raises:
        ValueError: that is something else.
    """
    given = [image] if isinstance(image, str | Path) else image
    if not isinstance(given, Sequence) or not given or not all(isinstance(path, str | Path) for path in given):
        said = "an empty list" if isinstance(given, Sequence) and not given else f"a {type(image).__name__}"
        raise ValueError(
            f"an image is a file, a list of files or a numpy array, got {said}; of tensors and nested lists make one "
            "by numpy.asarray"
        )
    return [Path(path) for path in given]


def refuse_destination(out: Path, image: Image) -> None:
    """Refuse to write a label map where none belongs, before anything is computed.

    Raises:
        ValueError: the file is no NIfTI by its name, or is the image.
    """
    if not is_nifti(out) or out.is_dir():
        raise ValueError(
            f"{out}: a label map is written as NIfTI: give the name of a file that ends in .nii.gz or .nii"
        )
    is_array = isinstance(image, np.ndarray | Volume)
    if not is_array and out.exists() and any(path.exists() and out.samefile(path) for path in given_files(image)):
        raise ValueError(f"{out}: is the image itself, which would be lost; name another file for the label map")
