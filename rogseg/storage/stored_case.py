"""One preprocessed case on disk: compressed arrays of which any region can be read by itself."""

import dataclasses
import functools
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any

import blosc2
import numpy as np
from numpy.typing import NDArray

from rogseg.foreign import decode, parse_json, read_regular
from rogseg.storage.atomic import atomic_directory
from rogseg.storage.case_properties import CaseProperties
from rogseg.storage.ownership import foreign_entries
from rogseg.storage.stored_array import ArrayChecksum, read_array, verify_array, write_array
from rogseg.task_plan import Region

__all__ = ["CASE_FILES", "StoredCase", "write_stored_case"]

CASE_FILES = ("case.json", "image.b2nd", "label.b2nd")

_REMEDY = "run rogseg preprocess again, which makes the case anew"
_CHECKSUM = re.compile(rb'\{"checksum": "([0-9a-f]{8})", ')


@dataclasses.dataclass(frozen=True)
class _Record:
    """What ``case.json`` says: the properties, and the checksums of the arrays (None where an older version wrote)."""

    properties: CaseProperties
    arrays: dict[str, ArrayChecksum] | None
    content_digest: str | None


class StoredCase:
    """A case in the folder ``cases/<case_id>``: ``image.b2nd``, ``label.b2nd`` where it is labelled, ``case.json``.

    Nothing is read before it is asked for, and no file stays open, so that objects go to workers cheaply.

    Raises:
        ValueError: the folder holds no stored case.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        if not (self.directory / "case.json").is_file():
            raise ValueError(f"{self.directory}: not a stored case (no case.json); run rogseg preprocess again")

    @functools.cached_property
    def _record(self) -> _Record:
        path = self.directory / "case.json"
        content = read_regular(path, 2**28, _REMEDY)
        data = parse_json(content, path, _REMEDY)
        try:
            if not isinstance(data, dict):
                raise ValueError("it must hold an object")
            checksum, arrays = data.pop("checksum", None), data.pop("arrays", None)
            digest = data.pop("content_digest", None)
            properties = CaseProperties.from_json(data)
            if properties.case_id != self.directory.name:
                raise ValueError(f"it describes the case {properties.case_id!r}")
            if checksum is None:
                return _Record(properties, None, None)
            start = _CHECKSUM.match(content)
            if start is None or int(start[1], 16) != zlib.crc32(content[start.end() :]):
                raise ValueError("its checksum differs")
            return _Record(
                properties, decode(arrays, dict[str, ArrayChecksum], "arrays"), decode(digest, str, "content_digest")
            )
        except ValueError as error:
            raise ValueError(f"{path}: damaged ({error}); {_REMEDY}") from error

    @property
    def properties(self) -> CaseProperties:
        """What the case remembers of its raw files."""
        return self._record.properties

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape (C, D, H, W) of the image."""
        return (len(self.properties.box_lower), *self.properties.network_shape)

    @property
    def has_label(self) -> bool:
        """Whether the case is labelled."""
        arrays = self._record.arrays
        return (self.directory / "label.b2nd").is_file() if arrays is None else "label" in arrays

    @property
    def digest(self) -> str:
        """SHA-256 of all that a result on this case depends on: raw content, plan, and the stored arrays themselves."""
        content = self._record.content_digest
        if content is None:
            content = _content_digest(self.read_image(), self.read_label())
        return hashlib.sha256(f"{self.properties.source_digest} {content}".encode()).hexdigest()

    def read_image(self, region: Region | None = None) -> NDArray[np.float32]:
        """The image [network units], (C, D, H, W) or the part of it in `region`.

        Raises:
            ValueError: `region` is empty or reaches out of the volume, or the file is damaged.
        """
        return self._read("image", self.shape, np.float32, (slice(None), *self._checked(region)))

    def read_label(self, region: Region | None = None) -> NDArray[np.uint8] | None:
        """The class indices, (D, H, W) or the part of them in `region`; None where the case is not labelled.

        Raises:
            ValueError: `region` is empty or reaches out of the volume, or the file is damaged.
        """
        if not self.has_label:
            return None
        return self._read("label", self.properties.network_shape, np.uint8, self._checked(region))

    def verify(self) -> None:
        """Hold every byte against its checksum.

        Raises:
            ValueError: something is missing or damaged, or was written before there were checksums.
        """
        arrays = self._record.arrays
        if arrays is None:
            raise ValueError(f"{self.directory}: without checksums, as older versions wrote it; {_REMEDY}")
        if "image" not in arrays or not set(arrays) <= {"image", "label"}:
            raise ValueError(f"{self.directory / 'case.json'}: damaged (arrays named {sorted(arrays)}); {_REMEDY}")
        for name, checksum in arrays.items():
            verify_array(self.directory / f"{name}.b2nd", checksum)

    def _read(
        self, name: str, shape: tuple[int, ...], dtype: type[np.generic], region: tuple[slice, ...]
    ) -> NDArray[Any]:
        arrays = self._record.arrays
        if arrays is not None and name not in arrays:
            raise ValueError(f"{self.directory / 'case.json'}: damaged (no checksum of the {name}); {_REMEDY}")
        return read_array(
            self.directory / f"{name}.b2nd", shape, dtype, region, None if arrays is None else arrays[name]
        )

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
        ValueError: the arrays do not fit each other or the properties, or the folder holds files of somebody else.
    """
    expected = (len(properties.box_lower), *properties.network_shape)
    if image.shape != expected:
        raise ValueError(f"case {properties.case_id!r}: the image has shape {image.shape}, the properties {expected}")
    if label is not None and label.shape != properties.network_shape:
        raise ValueError(f"case {properties.case_id!r}: the label has shape {label.shape}, image {image.shape}")
    strangers = foreign_entries(Path(directory), CASE_FILES)
    if strangers:
        raise ValueError(
            f"{directory}: holds {', '.join(strangers[:5])}, which preprocessing did not write; move it away, for "
            "the folder is replaced as a whole"
        )
    image = image.astype(np.float32, copy=False)
    label = None if label is None else label.astype(np.uint8, copy=False)
    with atomic_directory(directory) as partial:
        arrays = {"image": write_array(partial / "image.b2nd", image, blosc2.Codec.LZ4)}
        if label is not None:
            arrays["label"] = write_array(partial / "label.b2nd", label, blosc2.Codec.ZSTD)
        record = {
            **properties.to_json(),
            "content_digest": _content_digest(image, label),
            "arrays": {name: dataclasses.asdict(checksum) for name, checksum in arrays.items()},
        }
        text = json.dumps(record, allow_nan=False)[1:].encode() + b"\n"
        (partial / "case.json").write_bytes(b'{"checksum": "%08x", ' % zlib.crc32(text) + text)
    return StoredCase(directory)


def _content_digest(image: NDArray[np.float32], label: NDArray[np.uint8] | None) -> str:
    total = hashlib.sha256(np.ascontiguousarray(image).data)
    if label is not None:
        total.update(np.ascontiguousarray(label).data)
    return total.hexdigest()
