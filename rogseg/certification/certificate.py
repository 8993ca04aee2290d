"""Questions about every voxel, Holm's test of them all, and the certificate of those answered for the whole radius."""

import dataclasses
import math
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from rogseg.certification.votes import Votes

__all__ = ["Certificate", "ClassSet", "Mask", "Questions", "p_values", "samples_needed", "smallest_rejected_count"]

ClassSet = frozenset[int]
Mask = NDArray[np.bool_]


def p_values(num_samples: int, tau: float) -> NDArray[np.float64]:
    """By count 0 to ``num_samples``: the chance of so many votes or more where a vote has at most the chance tau."""
    table: NDArray[np.float64] = binom.sf(np.arange(num_samples + 1) - 1, num_samples, tau)
    return table


def smallest_rejected_count(histogram: NDArray[np.int64], tau: float, alpha: float) -> int | None:
    """The fewest votes with which a question is answered; None where no question is.

    Every question is a test that a set of classes has at most the share tau of all votes. Holm's procedure takes the
    p-values in ascending order and rejects the i-th of m while it is at most alpha / (m - i + 1); with probability
    1 - alpha no true hypothesis is rejected, however the voxels depend on each other. As p falls with the count and
    equal counts are rejected together, the procedure comes down to a threshold.

    Args:
        histogram: (n + 1,) by count, how many questions got so many of n votes.
        tau: share of the votes that is to be exceeded.
        alpha: chance that any answer is wrong.

    Source: Holm 1979; Fischer et al. 2021 use it over the pixels of an image.
    """
    values = p_values(len(histogram) - 1, tau)
    left, threshold = int(histogram.sum()), None
    for count in range(len(histogram) - 1, -1, -1):
        if histogram[count] == 0:
            continue
        if values[count] > alpha / left:
            break
        threshold, left = count, left - int(histogram[count])
    return threshold


def samples_needed(tau: float, alpha: float, num_questions: int) -> int:
    """The fewest samples with which a unanimous vote answers a question among so many."""
    return max(1, math.ceil(math.log(alpha / max(1, num_questions)) / math.log(tau)))


class Questions:
    """What is asked of the voxels of a case, and how many votes each question got.

    Asked is whether a voxel's class is one of a set, by the majority of all noisy copies that there could be. The sets
    are every single class, every region (a class, a group such as an organ with its lesions) and what is left without
    it. A voxel that hesitates between two classes of a group may so still be certain to lie in the group, and to lie in
    no third class. Of a voxel only those sets are asked that the choosing copies gave a majority to; as other copies
    answer, this choice costs nothing.

    Args:
        votes: of all copies.
        num_selection: how many of them chose.
        regions: sets of class indices.
        counted: (D, H, W), the voxels that may move and that count; None is all.

    Raises:
        ValueError: a region is empty, is everything, or names a class that there is not.
    """

    def __init__(
        self, votes: Votes, num_selection: int, regions: Iterable[Collection[int]], counted: Mask | None = None
    ) -> None:
        everything = frozenset(range(len(votes.answers)))
        asked = {frozenset({index}): None for index in sorted(everything)}
        for region in map(frozenset, regions):
            if not region or not region < everything:
                raise ValueError(f"a region has the classes {sorted(region)}, of {len(everything)} that there are")
            asked |= {region: None, everything - region: None}
        self.votes, self.num_selection = votes, num_selection
        self.num_samples = votes.done - num_selection
        self.everything, self.sets = everything, tuple(asked)
        self.counted = np.ones(votes.answers.shape[1:], bool) if counted is None else counted
        self.histogram = np.zeros(self.num_samples + 1, np.int64)
        for classes in self.sets:
            answers = votes.answers_of(classes)[self.is_asked(classes)]
            self.histogram += np.bincount(answers, minlength=len(self.histogram))

    @staticmethod
    def most_asked(num_regions: int, num_voxels: int) -> int:
        """How many questions there can be: of every voxel one side of each region, and one single class."""
        return num_voxels * (num_regions + 1)

    def is_asked(self, classes: ClassSet) -> Mask:
        """(D, H, W): the voxels that are asked whether they are one of some classes."""
        asked: Mask = self.counted & (2 * self.votes.selection_of(classes) > self.num_selection)
        return asked

    def certificate(self, tau: float, alpha: float) -> "Certificate":
        """Answer the questions such that with probability 1 - alpha no answer of the case is wrong."""
        return Certificate(self, tau, alpha, smallest_rejected_count(self.histogram, tau, alpha))


@dataclasses.dataclass(frozen=True)
class Certificate:
    """The answers for one tau.

    Args:
        questions: that were asked.
        tau: more than this share of all noisy copies agrees with an answer; it sets the radius.
        alpha: chance that any answer is wrong.
        fewest_votes: with which a question is answered; None where none is.
    """

    questions: Questions
    tau: float
    alpha: float
    fewest_votes: int | None

    def holds(self, classes: Collection[int]) -> Mask:
        """(D, H, W): voxels that the smoothed network gives one of some classes, whatever is done within the radius.

        Raises:
            ValueError: this was not asked.
        """
        wanted = frozenset(classes)
        if wanted not in self.questions.sets:
            raise ValueError(f"nothing was asked about the classes {sorted(wanted)}: name them as a region")
        if self.fewest_votes is None:
            return np.zeros_like(self.questions.counted)
        held: Mask = self.questions.is_asked(wanted) & (self.questions.votes.answers_of(wanted) >= self.fewest_votes)
        return held

    def inside(self, region: Collection[int]) -> Mask:
        """Voxels that are certain to be in a region."""
        return self.holds(region)

    def outside(self, region: Collection[int]) -> Mask:
        """Voxels that are certain not to be; those that do not count are none of anything."""
        return self.holds(self.questions.everything - frozenset(region)) | ~self.questions.counted
