"""Write a task of seeded phantoms in MSD layout, for demos, tests and benchmarks."""

import dataclasses
import itertools
import json
import math
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from rogseg.foreign import checked_name, read_json
from rogseg.sources.phantom_anatomy import FIRST_STRUCTURE, draw_anatomy
from rogseg.sources.phantom_intensity import Kind, render_channel
from rogseg.storage import atomic_directory, folder_lock, write_json_atomic

__all__ = ["PhantomTask", "phantom_modalities", "write_phantom_task"]

_SPACING = {"ct": (0.8, 0.8, 2.5), "mr": (0.9, 0.9, 3.6)}
_NUM_CHANNELS = {"ct": 1, "mr": 2}
MOST_VOXELS, MOST_CHANNELS = 2**30, 64
_MR_MODALITIES = ("T1", "T2", "FLAIR", "PD")


@dataclasses.dataclass(frozen=True)
class PhantomTask:
    """What a phantom task is made from; equal descriptions give equal files.

    The first of `label_values` is an organ, the second its lesions, any further ones are small organs. ``spacing``
    [mm] varies by up to ``spacing_jitter`` of itself from case to case. ``spacing`` and ``modalities`` (names of the
    channels) are those of the kind where None: CT has one channel in HU, MR two with anisotropic voxels and a bias
    field.

    Raises:
        ValueError: a value cannot be had; the message names it.
    """

    kind: Kind = "ct"
    shape: tuple[int, int, int] = (64, 64, 40)
    spacing: tuple[float, float, float] | None = None
    modalities: tuple[str, ...] | None = None
    label_values: tuple[int, ...] = (1, 2)
    num_training: int = 12
    num_test: int = 2
    spacing_jitter: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _SPACING:
            raise ValueError(f"kind must be 'ct' or 'mr', got {self.kind!r}")
        if len(self.shape) != 3 or min(self.shape) < 24:
            raise ValueError(f"shape must be three lengths of at least 24 voxels, got {self.shape}")
        if math.prod(self.shape) > MOST_VOXELS:
            raise ValueError(f"shape {self.shape} is more than any scanner makes; at most {MOST_VOXELS:,} voxels")
        if self.spacing is not None and (len(self.spacing) != 3 or not all(1e-3 <= s <= 1e3 for s in self.spacing)):
            raise ValueError(f"spacing must be three lengths from 0.001 to 1000 mm, got {self.spacing}")
        if self.modalities is not None:
            _check_number_of_channels(len(self.modalities))
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}, it must be at least 0")
        values = self.label_values
        if not 1 <= len(values) <= 10 or len(set(values)) != len(values) or min(values) < 1 or max(values) > 255:
            raise ValueError(f"label_values must be 1 to 10 distinct values from 1 to 255, got {values}")
        if self.num_training < 0 or self.num_test < 0 or self.num_training + self.num_test < 1:
            raise ValueError(f"there must be a case, got {self.num_training} for training and {self.num_test} for test")
        if not 0 <= self.spacing_jitter < 1:
            raise ValueError(f"spacing_jitter must be in [0, 1), got {self.spacing_jitter}")

    @property
    def channel_names(self) -> tuple[str, ...]:
        """What ``dataset.json`` calls the channels."""
        return self.modalities or phantom_modalities(self.kind, _NUM_CHANNELS[self.kind])

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the foreground labels."""
        others = tuple(f"organ {number}" for number in range(2, len(self.label_values)))
        return ("organ", "lesion", *others)[: len(self.label_values)]


def phantom_modalities(kind: Kind, count: int) -> tuple[str, ...]:
    """What `count` channels are called where nobody gives them a name.

    Raises:
        ValueError: there are none, or more than a phantom may have.
    """
    _check_number_of_channels(count)
    return ("CT",) * count if kind == "ct" else tuple(itertools.islice(itertools.cycle(_MR_MODALITIES), count))


def write_phantom_task(directory: str | Path, task: PhantomTask) -> Path:
    """Write the images, labels and ``dataset.json`` of a phantom task, as a whole or not at all.

    A folder that holds the very same task already is left as it is.

    Raises:
        ValueError: `directory` holds something else.
    """
    directory = Path(os.path.abspath(directory))
    checked_name(directory.name, f"{directory}: the name of the folder, which is that of the task")
    index = _index(directory.name, task)
    if directory.exists():
        present = directory / "dataset.json"
        if present.is_file() and read_json(present, "delete the folder or name another") == index:
            return directory
        raise ValueError(f"{directory}: exists and holds something else; delete it or name another folder")
    lock = folder_lock(directory.parent, f"writing {directory.name}", f".rogseg-lock-{directory.name}")
    with lock, atomic_directory(directory) as partial:
        for folder in ("imagesTr", "labelsTr", "imagesTs"):
            (partial / folder).mkdir()
        for number in range(task.num_training + task.num_test):
            _write_case(partial, task, number)
        write_json_atomic(partial / "dataset.json", index)
    return directory


def _check_number_of_channels(count: int) -> None:
    if not 1 <= count <= MOST_CHANNELS:
        raise ValueError(f"a phantom has 1 to {MOST_CHANNELS} channels, got {count}")


def _write_case(directory: Path, task: PhantomTask, number: int) -> None:
    # Each case has its own stream: the first cases stay the same when more are asked for.
    rng = np.random.default_rng((task.seed, number))
    spacing = np.asarray(task.spacing or _SPACING[task.kind]) * (1 + task.spacing_jitter * rng.uniform(-1, 1, 3))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    tissue = draw_anatomy(task.shape, len(task.label_values), rng)
    image = np.empty((*task.shape, len(task.channel_names)), dtype=np.int16, order="F")
    for channel in range(len(task.channel_names)):
        render_channel(tissue, task.kind, channel, rng, image[..., channel])
    training = number < task.num_training
    name = _file_name(number)
    grid = image[..., 0] if len(task.channel_names) == 1 else image
    nibabel.save(nibabel.Nifti1Image(grid, affine), directory / ("imagesTr" if training else "imagesTs") / name)
    if training:
        values = np.zeros(256, dtype=np.uint8)
        values[FIRST_STRUCTURE : FIRST_STRUCTURE + len(task.label_values)] = task.label_values
        nibabel.save(nibabel.Nifti1Image(values[tissue], affine), directory / "labelsTr" / name)


def _file_name(number: int) -> str:
    return f"phantom_{number:03d}.nii.gz"


def _index(name: str, task: PhantomTask) -> dict[str, Any]:
    names = [_file_name(number) for number in range(task.num_training + task.num_test)]
    labels = dict(sorted(zip(task.label_values, task.label_names, strict=True)))
    return {
        "name": name,
        "description": "generated phantoms; not from any patient",
        "tensorImageSize": "3D" if len(task.channel_names) == 1 else "4D",
        "modality": {str(channel): modality for channel, modality in enumerate(task.channel_names)},
        "labels": {"0": "background"} | {str(value): label for value, label in labels.items()},
        "numTraining": task.num_training,
        "numTest": task.num_test,
        "training": [
            {"image": f"./imagesTr/{file}", "label": f"./labelsTr/{file}"} for file in names[: task.num_training]
        ],
        "test": [f"./imagesTs/{file}" for file in names[task.num_training :]],
        "phantom": json.loads(json.dumps(dataclasses.asdict(task))),
    }
