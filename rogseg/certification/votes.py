"""Votes: how many noisy copies gave each voxel each class; a histogram, whatever the number of samples."""

import dataclasses
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rogseg.cases import Case, LogitFn
from rogseg.certification.smoothing import Smoothing

__all__ = ["Counts", "Votes", "collect_votes"]

Counts = NDArray[np.unsignedinteger[Any]]


@dataclasses.dataclass
class Votes:
    """Two histograms of one case: of the copies that choose, and of those that answer.

    Args:
        selection: (K, D, H, W) votes for each class, of the copies that choose.
        answers: the same of the others.
        done: copies that were counted, in the order of their numbers.
        seconds: that they took [s].
    """

    selection: Counts
    answers: Counts
    done: int = 0
    seconds: float = 0.0

    @classmethod
    def empty(cls, num_classes: int, shape: tuple[int, ...], smoothing: Smoothing) -> "Votes":
        """No votes yet, in the smallest integers that hold them all."""
        kind = np.min_scalar_type(max(smoothing.num_selection, smoothing.num_samples))
        return cls(np.zeros((num_classes, *shape), kind), np.zeros((num_classes, *shape), kind))

    def add(self, labels: NDArray[np.uint8], smoothing: Smoothing) -> None:
        """Count the label maps (B, D, H, W) of the next copies."""
        for of_copy in labels:
            counts = self.selection if self.done < smoothing.num_selection else self.answers
            for index, of_class in enumerate(counts):
                of_class += of_copy == index
            self.done += 1

    def add_up(self, smoothing: Smoothing) -> bool:
        """Whether every voxel has one vote of each copy that was counted."""
        chose = min(self.done, smoothing.num_selection)
        counts = ((self.selection, chose), (self.answers, self.done - chose))
        return 0 <= self.done <= smoothing.total and all(
            bool((votes.sum(0, dtype=np.int64) == number).all()) for votes, number in counts
        )

    def selection_of(self, classes: Collection[int]) -> NDArray[np.int32]:
        """(D, H, W): copies that choose and gave a voxel one of some classes."""
        return self.selection[sorted(classes)].sum(0, dtype=np.int32)

    def answers_of(self, classes: Collection[int]) -> NDArray[np.int32]:
        """(D, H, W): copies that answer and gave a voxel one of some classes."""
        return self.answers[sorted(classes)].sum(0, dtype=np.int32)


@torch.no_grad()
def collect_votes(
    model: LogitFn,
    case: Case,
    smoothing: Smoothing,
    votes: Votes,
    *,
    batch_size: int = 1,
    on_batch: Callable[[Votes], None] | None = None,
) -> None:
    """Let the copies vote that have not yet; a sliding window inside the model is part of what is smoothed.

    Args:
        model: scores of whole volumes; needs no gradient.
        case: what the noise is added to.
        smoothing: sigma and the number of copies.
        votes: that there are already; they are added to.
        batch_size: copies per call of the model; changes no noise.
        on_batch: called after each, for instance to save the votes.

    Raises:
        ValueError: the network's outputs are not finite, or it has other classes than the votes.
    """
    while votes.done < smoothing.total:
        begin = time.perf_counter()
        numbers = range(votes.done, min(votes.done + batch_size, smoothing.total))
        scores = model(smoothing.noisy_copies(case, numbers))
        if not torch.isfinite(scores).all():
            raise ValueError(
                f"case {case.case_id!r}: under noise of sigma {smoothing.sigma:g} the network gave outputs that are "
                "not finite, so its votes would be accidents: its weights are damaged or the case's intensities are"
            )
        if scores.shape[1] != len(votes.answers):
            raise ValueError(f"the network has {scores.shape[1]} classes, the votes are of {len(votes.answers)}")
        votes.add(scores.argmax(1).to(torch.uint8).cpu().numpy(), smoothing)
        votes.seconds += time.perf_counter() - begin
        if on_batch is not None:
            on_batch(votes)
