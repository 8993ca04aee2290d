"""PatchDataset: random patches of stored cases, the same ones whoever asks; PatchSampler: which a process takes."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from rogseg.cases import Case, IntensityBox
from rogseg.datasets.crop import drawn_case, patch_start, random_start, read_crop
from rogseg.datasets.transforms import Transform
from rogseg.registry import DATASETS, TRANSFORMS
from rogseg.storage import StoredCase, StoredTask
from rogseg.task_plan import Triple

__all__ = ["PatchDataset", "PatchKey", "PatchSampler"]

PatchKey = tuple[int, int]
"""Epoch and index within it."""


@DATASETS.register_module()
class PatchDataset(Dataset[Case]):
    """Patches by (epoch, index): every random choice hangs on (seed, epoch, index) alone.

    So workers, their number, the number of processes and a restart change nothing. All cases are drawn equally
    often: each run through them is a new permutation. A patch lies inside its volume where the volume is large
    enough; the crop around it, margin for rotations, may leave the volume and is 0 there.

    Args:
        stored_task_dir: folder of the stored task.
        case_ids: the cases to draw from; they must be labelled.
        patch_size: extent of the patch [voxels].
        crop_size: extent of what is read [voxels].
        transforms: configs of the TRANSFORMS registry; they take the crop to the patch.
        length: patches per epoch; None is one per case.
        foreground_fraction: share of the patches that are centred on a voxel of a foreground class, the class drawn
            uniformly from those that the case has.
        seed: of all randomness.

    Raises:
        ValueError: no case, a case without label, an argument out of its range, or transforms that give no patch of
            that size, which would be trained on as it is.
    """

    def __init__(
        self,
        stored_task_dir: str | Path,
        case_ids: Sequence[str],
        patch_size: Sequence[int],
        crop_size: Sequence[int],
        transforms: Sequence[Mapping[str, Any]],
        length: int | None = None,
        foreground_fraction: float = 0.5,
        seed: int = 0,
    ) -> None:
        if not case_ids:
            raise ValueError(f"{stored_task_dir}: there is no case to draw patches from")
        if not 0 <= foreground_fraction <= 1:
            raise ValueError(f"foreground_fraction is {foreground_fraction}, it must lie in [0, 1]")
        task = StoredTask(stored_task_dir)
        self.cases = [task.case(case_id) for case_id in case_ids]
        unlabelled = [case.directory.name for case in self.cases if not case.has_label]
        if unlabelled:
            raise ValueError(f"{stored_task_dir}: cannot train on cases without label: {', '.join(unlabelled)}")
        self.patch_size: Triple = (patch_size[0], patch_size[1], patch_size[2])
        self.crop_size: Triple = (crop_size[0], crop_size[1], crop_size[2])
        self.transforms: list[Transform] = [TRANSFORMS.build(dict(transform)) for transform in transforms]
        self.length = len(self.cases) if length is None else length
        self.foreground_fraction = foreground_fraction
        self.seed = seed
        self.spacing = task.plan.spacing
        self.modalities = tuple(channel.modality for channel in task.plan.channels)
        self.points: dict[str, list[NDArray[np.int32]]] = {}
        if (made := tuple(self[0, 0].inputs.shape[2:])) != self.patch_size:
            raise ValueError(
                f"the transforms make patches of {made} voxels of crops of {self.crop_size}, and patch_size is "
                f"{self.patch_size}: put dict(type='CentreCrop', patch_size='task.patch_size') among the transforms, "
                "or give crop_size the size of the patch"
            )

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: PatchKey) -> Case:
        """The patch of an epoch and an index; its targets are uint8 until they are stacked."""
        epoch, index = key
        stored = self.case_of(epoch, index)
        properties = stored.properties
        generator = np.random.default_rng([1, self.seed, epoch, index])
        start = self._start(stored, generator)
        margin = [(crop - patch) // 2 for crop, patch in zip(self.crop_size, self.patch_size, strict=True)]
        corner = [first - extra for first, extra in zip(start, margin, strict=True)]
        inputs, targets, movable = read_crop(stored, corner, self.crop_size)
        case = Case(
            properties.case_id,
            inputs[None],
            targets[None],
            IntensityBox.per_channel(properties.box_lower, properties.box_upper),
            movable[None],
            spacing=self.spacing,
            properties=properties,
            modalities=self.modalities,
        )
        for transform in self.transforms:
            case = transform(case, generator)
        return case

    def case_of(self, epoch: int, index: int) -> StoredCase:
        """The case that a patch comes from."""
        return self.cases[drawn_case(epoch * self.length + index, len(self.cases), self.seed)]

    def _start(self, case: StoredCase, generator: np.random.Generator) -> Triple:
        points = self._class_points(case)
        shape = case.properties.network_shape
        if generator.random() < self.foreground_fraction and points:
            of_class = points[int(generator.integers(len(points)))]
            centre = of_class[int(generator.integers(len(of_class)))]
            return patch_start([int(position) for position in centre], self.patch_size, shape)
        return random_start(generator, self.patch_size, shape)

    def _class_points(self, case: StoredCase) -> list[NDArray[np.int32]]:
        name = case.directory.name
        if name not in self.points:
            places, shape = case.properties.class_places or {}, case.properties.network_shape
            self.points[name] = [
                np.stack(np.unravel_index(places[label], shape), axis=1).astype(np.int32)
                for label in sorted(places)
                if places[label]
            ]
        return self.points[name]


class PatchSampler(Sampler[PatchKey]):
    """Yields (epoch, index), so that workers that live on between epochs know the epoch.

    Mini-batch i of all processes together is the same set of patches, however many processes share it.

    Args:
        num_batches: per epoch.
        batch_size: per process.
        rank: of this process.
        world_size: number of processes.
    """

    def __init__(self, num_batches: int, batch_size: int, rank: int = 0, world_size: int = 1) -> None:
        self.num_batches, self.batch_size = num_batches, batch_size
        self.rank, self.world_size = rank, world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is of."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.num_batches * self.batch_size

    def __iter__(self) -> Iterator[PatchKey]:
        for batch in range(self.num_batches):
            first = (batch * self.world_size + self.rank) * self.batch_size
            for index in range(first, first + self.batch_size):
                yield self.epoch, index
