"""Raw files as a scan that can be corrupted, and a corrupted scan as raw files that any system prepares itself."""

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rogseg.corruptions import Modality, Scan, modality_of
from rogseg.preprocessing import Volume, read_image, write_image
from rogseg.storage import RawCase
from rogseg.systems import System

__all__ = ["RawScan", "modalities_of"]

IGNORED = -1
"""In the label map of a scan: voxels that count nowhere."""


def modalities_of(system: System) -> tuple[Modality, ...]:
    """What kind of scanner each channel of a system comes from."""
    return tuple(modality_of(channel.modality, channel.unit) for channel in system.channels)


@dataclasses.dataclass(frozen=True)
class RawScan:
    """A raw case with its voxels and its label map.

    Args:
        raw: the files.
        grid: that they lie on, with the voxels.
        scan: the same voxels as corruptions take them.
    """

    raw: RawCase
    grid: Volume
    scan: Scan

    @classmethod
    def read(cls, system: System, raw: RawCase, modalities: tuple[Modality, ...]) -> "RawScan":
        """Read the files of a case, its label too where it has one; ``modalities`` are those of its channels.

        Raises:
            ValueError: a file cannot be used.
        """
        volume = read_image(raw.images, len(system.channels))
        labels = None
        if raw.label is not None:
            target, counts = system.read_targets(raw, volume)
            # int64 holds the mark.
            labels = torch.from_numpy(target.astype(np.int64))
            if counts is not None:
                labels = labels.masked_fill(~torch.from_numpy(counts), IGNORED)
        scan = Scan(torch.from_numpy(volume.array), volume.spacing, modalities, labels)
        return cls(raw, volume, scan)

    @contextmanager
    def as_files(self, scan: Scan) -> Iterator[RawCase]:
        """A corrupted scan as a raw case without label: NIfTI files that are gone afterwards.

        As many files as the case has, so that a system that wants a file per channel gets them; float32, which holds
        what integers of the scanner do.
        """
        voxels = scan.voxels.numpy()
        with tempfile.TemporaryDirectory(prefix="rogseg_") as folder:
            parts = [voxels] if len(self.raw.images) == 1 else [channel[None] for channel in voxels]
            paths = tuple(Path(folder) / f"{self.raw.case_id}_{index:04d}.nii" for index in range(len(parts)))
            for path, part in zip(paths, parts, strict=True):
                write_image(path, part, self.grid.affine, self.grid.forms)
            yield RawCase(self.raw.case_id, paths, None)

    @staticmethod
    def targets(scan: Scan) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """The label map of a scan as class indices (D, H, W), and which voxels count; None is all."""
        assert scan.labels is not None, "only labelled cases are scored"
        labels: NDArray[np.int64] = scan.labels.numpy()
        counts = labels != IGNORED
        return np.where(counts, labels, 0), None if counts.all() else counts
