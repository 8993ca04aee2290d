"""Random patches of prepared cases, half of them around foreground."""

from collections.abc import Sequence

import numpy as np
from torch.utils.data import DataLoader, Dataset

from rogseg.cases import Batch, Case
from rogseg.datasets import PatchSampler
from rogseg.datasets.crop import drawn_case, patch_start, random_start
from rogseg.datasets.patch_dataset import PatchKey
from rogseg.datasets.transforms import RandomMirror
from rogseg.engine.hardening.prepared_cases import PreparedCase
from rogseg.task_plan import Triple

__all__ = ["PreparedPatches", "patch_loader"]

FOREGROUND_FRACTION = 0.5


class PreparedPatches(Dataset[Case]):
    """Patches by (epoch, index): every random choice hangs on (seed, epoch, index) alone.

    All cases are drawn equally often: each run through them is a new permutation. Half of the patches are centred on a
    voxel of a foreground class, the class drawn uniformly from those that the case has.

    Args:
        cases: to draw from.
        patch_size: extent [voxels]; None takes whole cases.
        multiple_of: whole cases are padded evenly to multiples of it [voxels].
        mirror_axes: spatial axes along which every second patch is mirrored.
        length: patches per epoch.
        seed: of all randomness.
    """

    def __init__(
        self,
        cases: Sequence[PreparedCase],
        patch_size: Triple | None,
        multiple_of: int,
        mirror_axes: Sequence[int],
        length: int,
        seed: int,
    ) -> None:
        self.cases, self.patch_size, self.length, self.seed = tuple(cases), patch_size, length, seed
        self.multiple_of, self.mirror = multiple_of, RandomMirror(mirror_axes)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: PatchKey) -> Case:
        """The patch of an epoch and an index."""
        epoch, index = key
        case = self.cases[drawn_case(epoch * self.length + index, len(self.cases), self.seed)]
        generator = np.random.default_rng([1, self.seed, epoch, index])
        size = self.size_of(case)
        return self.mirror(case.case(*case.crop(self._start(case, size, generator), size)), generator)

    def size_of(self, case: PreparedCase) -> Triple:
        """Of the patches of a case: the whole case, padded, where the network takes whole volumes."""
        depth, height, width = (length + -length % self.multiple_of for length in case.shape)
        return self.patch_size or (depth, height, width)

    def _start(self, case: PreparedCase, size: Triple, generator: np.random.Generator) -> Triple:
        labels = np.unique(case.places[:, 0])
        if generator.random() >= FOREGROUND_FRACTION or not len(labels):
            return random_start(generator, size, case.shape)
        of_class = case.places[case.places[:, 0] == generator.choice(labels)]
        return patch_start(of_class[int(generator.integers(len(of_class))), 1:].tolist(), size, case.shape)


def patch_loader(patches: PreparedPatches, batch_size: int) -> DataLoader[Case]:
    """Mini-batches of an epoch; patches are read from open files, for which no worker is needed."""
    sampler = PatchSampler(len(patches) // batch_size, batch_size)
    return DataLoader(patches, batch_size=batch_size, sampler=sampler, collate_fn=Batch.stack)
