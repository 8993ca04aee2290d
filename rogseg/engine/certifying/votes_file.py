"""The votes of a case on disk: an interrupted case goes on, and a further tau costs no pass of the network."""

import io
import time
from pathlib import Path

import numpy as np

from rogseg.certification import Smoothing, Votes
from rogseg.foreign import read_arrays
from rogseg.storage import write_bytes_atomic

__all__ = ["VotesFile"]

HEADERS = 1 << 20  # bytes of a file beside the votes


class VotesFile:
    """One file per case and sigma, replaced as a whole while its case is at work and kept when it is done.

    The noise of each copy depends on its number alone, so the number of copies that voted is all the state there is.

    Args:
        path: of the file.
        digest: of the evaluation that the votes belong to; others are refused.
        seconds_between: the least time between two savings [s].
    """

    def __init__(self, path: Path, digest: str, seconds_between: float = 30.0) -> None:
        self.path, self.digest, self.seconds_between = path, digest, seconds_between
        self._saved = time.monotonic()

    def load(self, num_classes: int, shape: tuple[int, ...], smoothing: Smoothing) -> Votes:
        """The votes so far; none where there is no file.

        Raises:
            ValueError: the file is damaged, or of another evaluation.
        """
        empty = Votes.empty(num_classes, shape, smoothing)
        if not self.path.is_file():
            return empty
        remedy = "delete it, and the case is done anew"
        content = read_arrays(self.path, 2 * empty.answers.nbytes + HEADERS, remedy)
        try:
            votes = Votes(content["selection"], content["answers"], int(content["done"]), float(content["seconds"]))
            digest = content["digest"].item()
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.path}: not the votes of a case ({error}); {remedy}") from error
        if digest != self.digest:
            raise ValueError(f"{self.path}: its votes belong to another evaluation than header.json; {remedy}")
        for there, wanted in ((votes.selection, empty.selection), (votes.answers, empty.answers)):
            if there.shape != wanted.shape or there.dtype != wanted.dtype:
                raise ValueError(f"{self.path}: its votes are {there.shape}, the case is {wanted.shape}; {remedy}")
        if not votes.add_up(smoothing):
            raise ValueError(f"{self.path}: a voxel of it has not as many votes as copies voted; {remedy}")
        return votes

    def save(self, votes: Votes, *, is_last: bool) -> None:
        """Write the votes, where it is time or the case is done."""
        if not is_last and time.monotonic() - self._saved < self.seconds_between:
            return
        content = io.BytesIO()
        np.savez_compressed(
            content,
            selection=votes.selection,
            answers=votes.answers,
            done=votes.done,
            seconds=votes.seconds,
            digest=self.digest,
        )
        # Its checksums tell of a part that a power failure lost, and it can be made again.
        write_bytes_atomic(self.path, content.getvalue(), lasting=False)
        self._saved = time.monotonic()
