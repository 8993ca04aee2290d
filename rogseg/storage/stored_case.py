"""One preprocessed case on disk: compressed arrays of which any region can be read by itself."""

import functools
import json
from pathlib import Path
from typing import Any

import blosc2
import numpy as np
from numpy.typing import NDArray

from rogseg.storage.atomic import atomic_directory
from rogseg.storage.case_properties import CaseProperties
from rogseg.task_plan import Region

__all__ = ["StoredCase", "write_stored_case"]


_CHUNK, _BLOCK = 64, 16


class StoredCase:
    """A case in the folder ``cases/<case_id>``: ``image.b2nd``, ``label.b2nd`` where it is labelled, ``case.json``.

    Nothing is read before it is asked for, and no file stays open, so that objects go to workers cheaply.

    Raises:
        ValueError: the folder holds no stored case.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "case.json").is_file():
            raise ValueError(f"{self.directory}: not a stored case (no case.json); run tools/preprocess.py again")

    @functools.cached_property
    def properties(self) -> CaseProperties:
        """What the case remembers of its raw files."""
        path = self.directory / "case.json"
        try:
            return CaseProperties.from_json(json.loads(path.read_text()))
        except (json.JSONDecodeError, ValueError) as error:
            raise ValueError(f"{path}: {error}; delete the folder and run tools/preprocess.py again") from error

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape (C, D, H, W) of the image."""
        return (len(self.properties.box_lower), *self.properties.network_shape)

    @property
    def has_label(self) -> bool:
        """Whether the case is labelled."""
        return (self.directory / "label.b2nd").is_file()

    def read_image(self, region: Region | None = None) -> NDArray[np.float32]:
        """The image [network units], (C, D, H, W) or the part of it in `region`.

        Raises:
            ValueError: `region` is empty or reaches out of the volume.
        """
        array = _open(self.directory / "image.b2nd")
        return np.asarray(array[(slice(None), *self._checked(region))], dtype=np.float32)

    def read_label(self, region: Region | None = None) -> NDArray[np.uint8] | None:
        """The class indices, (D, H, W) or the part of them in `region`; None where the case is not labelled.

        Raises:
            ValueError: `region` is empty or reaches out of the volume.
        """
        if not self.has_label:
            return None
        array = _open(self.directory / "label.b2nd")
        return np.asarray(array[self._checked(region)], dtype=np.uint8)

    def _checked(self, region: Region | None) -> Region:
        if region is None:
            return (slice(None), slice(None), slice(None))
        for part, length in zip(region, self.properties.network_shape, strict=True):
            start, stop = part.start or 0, length if part.stop is None else part.stop
            if part.step not in (None, 1) or not 0 <= start < stop <= length:
                raise ValueError(
                    f"{self.directory}: region {region} is empty or leaves the volume {self.properties.network_shape}"
                )
        return region


def write_stored_case(
    directory: str | Path, image: NDArray[Any], label: NDArray[Any] | None, properties: CaseProperties
) -> StoredCase:
    """Write a case as a whole, in place of one that is there already.

    Args:
        directory: folder of the case.
        image: (C, D, H, W) [network units].
        label: (D, H, W) class indices, or None.
        properties: what goes into ``case.json``.

    Raises:
        ValueError: the arrays do not fit each other or the properties.
    """
    expected = (len(properties.box_lower), *properties.network_shape)
    if image.shape != expected:
        raise ValueError(f"case {properties.case_id!r}: the image has shape {image.shape}, the properties {expected}")
    if label is not None and label.shape != properties.network_shape:
        raise ValueError(f"case {properties.case_id!r}: the label has shape {label.shape}, image {image.shape}")
    with atomic_directory(directory) as partial:
        _write(partial / "image.b2nd", image.astype(np.float32, copy=False), blosc2.Codec.LZ4)
        if label is not None:
            _write(partial / "label.b2nd", label.astype(np.uint8, copy=False), blosc2.Codec.ZSTD)
        text = json.dumps(properties.to_json(), allow_nan=False)
        (partial / "case.json").write_text(text + "\n")
    return StoredCase(directory)


def _write(path: Path, array: NDArray[Any], codec: blosc2.Codec) -> None:
    lead = (1,) * (array.ndim - 3)
    chunks = lead + tuple(min(_CHUNK, length) for length in array.shape[-3:])
    blocks = lead + tuple(min(_BLOCK, length) for length in array.shape[-3:])
    cparams = blosc2.CParams(codec=codec, clevel=1, nthreads=1, filters=[blosc2.Filter.SHUFFLE])
    blosc2.asarray(
        np.ascontiguousarray(array), urlpath=str(path), mode="w", chunks=chunks, blocks=blocks, cparams=cparams
    )


def _open(path: Path) -> Any:
    # One thread: the loader's workers are the parallelism, and a forked worker must not meet a pool of threads.
    return blosc2.open(str(path), mode="r", mmap_mode="r", dparams=blosc2.DParams(nthreads=1))
