"""Where an evaluation takes its cases from: a stored task, raw files that a system prepares itself, or tensors."""

import dataclasses
import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np
import torch

from rogseg.cases import Case
from rogseg.foreign import checked_name
from rogseg.preprocessing import digest_case
from rogseg.storage import RawCase, StoredTask
from rogseg.systems.base import System
from rogseg.systems.prepared_case import stored_case
from rogseg.task_plan import Region, Triple

__all__ = ["CaseSource", "GivenCases", "Protocol", "RawCases", "StoredCases", "crop_case", "foreground_window"]

Protocol = Literal["volume", "patch"]
"""What is evaluated of a case: the whole volume, or the one window around its foreground that the paper takes."""


AnyCase = TypeVar("AnyCase", Case, RawCase)


class CaseSource(ABC):
    """Cases by their id, loaded when they are asked for."""

    task: str
    """Name of the task, for tables."""
    case_ids: tuple[str, ...]

    @abstractmethod
    def load(self, case_id: str) -> Case:
        """One case, prepared.

        Raises:
            ValueError: it is not there or cannot be used.
        """

    @abstractmethod
    def digest(self, case_id: str) -> str:
        """SHA-256 over the content that the case is made from, image and label."""

    @abstractmethod
    def size(self, case_id: str) -> float:
        """How large a case is beside the others of this source, told without loading it: who shares work asks."""


class StoredCases(CaseSource):
    """Cases that were stored for the plan of a rogseg network.

    Args:
        stored: the stored task.
        case_ids: which of its cases.
    """

    def __init__(self, stored: StoredTask, case_ids: Sequence[str]) -> None:
        self.stored, self.case_ids = stored, tuple(case_ids)
        self.task = stored.plan.name

    def load(self, case_id: str) -> Case:
        """Read a stored case."""
        return stored_case(self.stored.case(case_id))

    def digest(self, case_id: str) -> str:
        """Over the raw content, the plan and the stored arrays."""
        return self.stored.case(case_id).digest

    def size(self, case_id: str) -> float:
        """Voxels."""
        return float(math.prod(self.stored.case(case_id).properties.network_shape))


class RawCases(CaseSource):
    """Raw cases that a system prepares itself.

    Args:
        system: what prepares them.
        cases: raw cases; each needs a label to be evaluated.
        task: its name.

    Raises:
        ValueError: two have one id, or an id could not name a file.
    """

    def __init__(self, system: System, cases: Sequence[RawCase], task: str) -> None:
        self.system, self.task = system, task
        self._cases = _by_id(cases)
        self.case_ids = tuple(self._cases)

    def load(self, case_id: str) -> Case:
        """Prepare a raw case."""
        return self.system.prepare(self.raw(case_id))

    def raw(self, case_id: str) -> RawCase:
        """The files of a case."""
        return self._cases[case_id]

    def digest(self, case_id: str) -> str:
        """Over the raw files."""
        case = self._cases[case_id]
        return digest_case(case.images, case.label)

    def size(self, case_id: str) -> float:
        """Bytes of the image files."""
        return float(sum(image.stat().st_size for image in self.raw(case_id).images))


class GivenCases(CaseSource):
    """Cases that are there already, for instance from tensors of one's own.

    Raises:
        ValueError: two have one id, or an id could not name a file.
    """

    def __init__(self, cases: Sequence[Case], task: str = "given cases") -> None:
        self.task = task
        self._cases: Mapping[str, Case] = _by_id(cases)
        self.case_ids = tuple(self._cases)

    def load(self, case_id: str) -> Case:
        """The case as it was given."""
        return self._cases[case_id]

    def digest(self, case_id: str) -> str:
        """Over the tensors, the box, and what millimetres and raw units are counted by."""
        case = self._cases[case_id]
        spacing = None if case.spacing is None else tuple(map(float, case.spacing))
        content = hashlib.sha256(repr((spacing, tuple(map(float, case.raw_width)))).encode())
        for tensor in (case.inputs, case.targets, case.movable, case.box.lower, case.box.upper):
            if tensor is not None:
                content.update(repr((tuple(tensor.shape), str(tensor.dtype))).encode())
                content.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return content.hexdigest()

    def size(self, case_id: str) -> float:
        """Values of the input."""
        return float(self._cases[case_id].inputs.numel())


def foreground_window(targets: torch.Tensor, window_size: Triple) -> Region:
    """The window of the protocol ``patch``: centred on the mean foreground voxel, moved to lie inside the volume.

    Args:
        targets: (D, H, W) class indices; without foreground the volume's centre is taken.
        window_size: extent [voxels]; an axis shorter than the window is taken whole.
    """
    label = targets.cpu().numpy()
    points = np.argwhere(label > 0)
    centre = points.mean(axis=0) if len(points) else (np.array(label.shape) - 1) / 2
    cuts = []
    for middle, extent, length in zip(centre, window_size, label.shape, strict=True):
        start = int(np.clip(round(float(middle) - (extent - 1) / 2), 0, max(0, length - extent)))
        cuts.append(slice(start, min(start + extent, length)))
    return cuts[0], cuts[1], cuts[2]


def _by_id(cases: Sequence[AnyCase]) -> dict[str, AnyCase]:
    found: dict[str, AnyCase] = {}
    for case in cases:
        name = checked_name(case.case_id, "the id of a case")  # files are named by it
        if name in found:
            raise ValueError(f"two cases are called {name!r}, so one would stand for both; give each an id of its own")
        found[name] = case
    return found


def crop_case(case: Case, region: Region) -> Case:
    """A cuboid of a case."""
    part = (slice(None), slice(None), *region)
    return dataclasses.replace(
        case,
        inputs=case.inputs[part].contiguous(),
        targets=None if case.targets is None else case.targets[(slice(None), *region)].contiguous(),
        movable=None if case.movable is None else case.movable[part].contiguous(),
        region=region,
    )
