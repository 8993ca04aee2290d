"""PatchSampler: which patches a process takes in an epoch."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from rogseg.datasets.patch_dataset import PatchKey

__all__ = ["PatchSampler"]


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
