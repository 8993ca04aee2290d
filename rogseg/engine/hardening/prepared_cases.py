"""Cases that a system prepared, kept on disk while it is trained: patches of them are read without preparing again."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case, IntensityBox
from rogseg.datasets.crop import part_inside
from rogseg.engine.digests import digest_of_file
from rogseg.foreign import read_json
from rogseg.storage import RawCase, atomic_directory, write_json_atomic
from rogseg.systems import CaseSource, RawCases, System
from rogseg.task_plan import Triple

__all__ = ["PreparedCase", "PreparedCases"]

RAW = "raw.json"
MOST_PLACES = 10_000  # voxels of a class that patches may be centred on


class PreparedCase:
    """One case on disk.

    Args:
        directory: that `PreparedCases` wrote.
    """

    def __init__(self, directory: Path) -> None:
        self.case_id = directory.name
        self.inputs: NDArray[np.float32] = np.load(directory / "inputs.npy", mmap_mode="r", allow_pickle=False)
        self.targets: NDArray[np.uint8] = np.load(directory / "targets.npy", mmap_mode="r", allow_pickle=False)
        self.movable: NDArray[np.bool_] = np.load(directory / "movable.npy", mmap_mode="r", allow_pickle=False)
        self.places: NDArray[np.int32] = np.load(directory / "places.npy", allow_pickle=False)
        """(N, 4): class index and position of voxels of the foreground."""
        lower, upper = np.load(directory / "box.npy", allow_pickle=False)
        self.box = IntensityBox.per_channel(lower.tolist(), upper.tolist())

    @property
    def shape(self) -> Triple:
        """(D, H, W)."""
        depth, height, width = self.targets.shape
        return depth, height, width

    def whole(self) -> Case:
        """All of it."""
        return self.case(*self.crop((0, 0, 0), self.shape))

    def case(self, inputs: Tensor, targets: Tensor, movable: Tensor) -> Case:
        """A case of what `crop` gives."""
        return Case(self.case_id, inputs[None], targets[None].long(), self.box, movable[None])

    def crop(self, start: Sequence[int], size: Triple) -> tuple[Tensor, Tensor, Tensor]:
        """A region that may leave the volume; outside of it inputs and targets are 0 and nothing may move.

        Returns:
            (C, *size) float32 [network units], (*size) uint8 class indices and (1, *size) bool, what may move.
        """
        read, place = part_inside(start, size, self.shape)
        inputs = torch.zeros(len(self.inputs), *size)
        targets, movable = torch.zeros(size, dtype=torch.uint8), torch.zeros(1, *size, dtype=torch.bool)
        inputs[(slice(None), *place)] = torch.from_numpy(self.inputs[(slice(None), *read)].copy())
        targets[place] = torch.from_numpy(self.targets[read].copy())
        movable[0][place] = torch.from_numpy(self.movable[read].copy())
        return inputs, targets, movable


class PreparedCases(CaseSource):
    """Prepares each case once, into a folder of its own that is there whole or not at all.

    Args:
        system: what prepares them.
        cases: raw cases with labels.
        task: its name.
        directory: where they are kept.
    """

    def __init__(self, system: System, cases: Sequence[RawCase], task: str, directory: Path) -> None:
        self.task, self.directory = task, directory
        self._raw = RawCases(system, cases, task)
        self.case_ids = self._raw.case_ids
        self._digests: dict[str, str] = {}
        self._whole: set[str] = set()

    def digest(self, case_id: str) -> str:
        """Over the raw files, which are read once."""
        if case_id not in self._digests:
            self._digests[case_id] = self._raw.digest(case_id)
        return self._digests[case_id]

    def size(self, case_id: str) -> float:
        """Bytes of the raw image files."""
        return self._raw.size(case_id)

    def load(self, case_id: str) -> Case:
        """The whole case."""
        return self.prepared(case_id).whole()

    def prepared(self, case_id: str) -> PreparedCase:
        """The case on disk, prepared where it is not there, is damaged, or its raw files have changed.

        Raises:
            ValueError: it cannot be used, or has no label.
        """
        directory, digest = self.directory / case_id, self.digest(case_id)
        if case_id not in self._whole and not _is_whole(directory, digest):
            case = self._raw.load(case_id)
            if case.targets is None:
                raise ValueError(f"case {case_id!r} has no label, so nothing can be trained on it; leave it out")
            with atomic_directory(directory) as partial:
                _write(partial, case, case.targets[0].numpy().astype(np.uint8))
                write_json_atomic(partial / RAW, {"digest": digest, "files": _digests(partial)})
        self._whole.add(case_id)
        return PreparedCase(directory)

    def remove(self) -> None:
        """Take the cases from the disk again, and nothing that somebody else has put beside them."""
        for case_id in self.case_ids:
            shutil.rmtree(self.directory / case_id, ignore_errors=True)
        with contextlib.suppress(OSError):  # somebody's file is in it
            self.directory.rmdir()


def _is_whole(directory: Path, digest: str) -> bool:
    """Whether a prepared case is of these raw files and still what was written."""
    try:
        known = read_json(directory / RAW, "")
    except ValueError:  # it is made again
        return False
    return bool(known == {"digest": digest, "files": _digests(directory)})


def _digests(directory: Path) -> dict[str, str]:
    return {path.name: digest_of_file(path) for path in sorted(directory.glob("*.npy")) if path.is_file()}


def _write(directory: Path, case: Case, targets: NDArray[np.uint8]) -> None:
    movable = np.ones(targets.shape, dtype=np.bool_) if case.movable is None else case.movable[0, 0].numpy()
    channels = (1, case.inputs.shape[1], 1, 1, 1)
    box = [bound.expand(channels).flatten().numpy() for bound in (case.box.lower, case.box.upper)]
    arrays = {
        "inputs": case.inputs[0].numpy(),
        "targets": targets,
        "movable": movable,
        "places": _places(targets),
        "box": np.stack(box),
    }
    for name, values in arrays.items():
        np.save(directory / f"{name}.npy", values, allow_pickle=False)


def _places(targets: NDArray[np.uint8]) -> NDArray[np.int32]:
    found = []
    for label in np.unique(targets[targets > 0]):
        places = np.argwhere(targets == label)
        if len(places) > MOST_PLACES:
            places = np.random.default_rng(int(label)).choice(places, MOST_PLACES, replace=False, shuffle=False)
        found.append(np.insert(places, 0, label, axis=1))
    return np.concatenate(found).astype(np.int32) if found else np.empty((0, 4), dtype=np.int32)
