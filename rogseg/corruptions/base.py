"""Corruption: what every change that a scanner makes to an image has in common."""

import dataclasses
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, final

import torch
from torch import Tensor

from rogseg.corruptions.scan import MODALITIES, Modality, Scan

__all__ = ["NUM_SEVERITIES", "SIGNAL", "Calibrated", "Corruption", "Severities", "checked_severity", "find_parameter"]

NUM_STEPS = 14
"""Halvings of the range between neutral and extreme."""

FOUND, REACHED = 0.002, 0.02
"""How far from its target a similarity may be: for a search to end, and for a parameter to stand for the target."""


NUM_SEVERITIES = 5
SIGNAL = "% of the signal"  # 1000 HU in CT, elsewhere the mean of the foreground (`Scan.signal`)


@dataclasses.dataclass(frozen=True)
class Severities:
    """The physical parameter of a corruption, and its values at the severities 1 to 5.

    Args:
        parameter: what it is, in words.
        unit: of it.
        neutral: its value at which nothing happens.
        levels: at the severities, each further from ``neutral`` than the one before.
        extreme: the furthest value that a calibration may try.
        source: where the levels come from; what is our own choice says so.

    Raises:
        ValueError: the levels are not five that lead away from ``neutral``, up to ``extreme``.
    """

    parameter: str
    unit: str
    neutral: float
    levels: tuple[float, ...]
    extreme: float
    source: str

    def __post_init__(self) -> None:
        path = [abs(value - self.neutral) for value in (self.neutral, *self.levels, self.extreme)]
        sides = {value > self.neutral for value in (*self.levels, self.extreme)}
        rises = all(a < b for a, b in itertools.pairwise(path[:-1])) and path[-2] <= path[-1]
        if len(self.levels) != NUM_SEVERITIES or len(sides) != 1 or not rises:
            raise ValueError(
                f"{self.parameter}: levels are {self.levels}; give {NUM_SEVERITIES} that lead from {self.neutral} on "
                f"one side up to {self.extreme}"
            )


class Corruption(ABC):
    """A change that a scanner, a protocol or an export makes to a volume in raw units.

    A corruption says in ``severities`` what its strength is, and in ``modalities`` where it occurs; ``elsewhere`` says
    why not in the others. It writes `corrupt`. The same generator state gives the same volume; how much is done hangs
    on the parameter alone, so that with one generator state a higher severity is more of the same.
    """

    severities: ClassVar[Severities]
    modalities: ClassVar[tuple[Modality, ...]] = MODALITIES
    elsewhere: ClassVar[str] = ""
    moves_anatomy: ClassVar[bool] = False
    """Whether the patient lies elsewhere afterwards; the label map moves along, and predictions are scored there."""

    @abstractmethod
    def corrupt(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Change a scan; the given one stays as it is.

        Args:
            scan: that the corruption applies to.
            parameter: of `severities`, not neutral.
            generator: of all randomness.
        """

    def reason_against(self, modalities: Sequence[Modality]) -> str | None:
        """Why it does not apply to a scan with channels of these modalities; None where it does."""
        return None if set(modalities) <= set(self.modalities) else self.elsewhere

    @final
    def __call__(self, scan: Scan, severity: int, generator: torch.Generator) -> Scan:
        """Corrupt a scan by a severity of 1 to 5.

        Raises:
            ValueError: the severity is none of 1 to 5, or the corruption does not apply to the scan.
        """
        return self.at(scan, self.severities.levels[checked_severity(severity) - 1], generator)

    @final
    def at(self, scan: Scan, parameter: float, generator: torch.Generator) -> Scan:
        """Corrupt a scan by a value of the physical parameter.

        Raises:
            ValueError: the corruption does not apply to the scan, or its result is not finite.
        """
        reason = self.reason_against(scan.modalities)
        if reason is not None:
            raise ValueError(f"{type(self).__name__} does not apply to this scan: {reason}")
        if parameter == self.severities.neutral:
            return scan
        # It gets copies: one that wrote into its scan would change what the next corruption starts from.
        labels = None if scan.labels is None else scan.labels.clone()
        given = dataclasses.replace(scan, voxels=scan.voxels.clone(), labels=labels)
        try:
            result = self.corrupt(given, parameter, generator)
        except RuntimeError as error:  # torch says so of axes that are too short for a filter
            raise ValueError(
                f"{type(self).__name__} at {parameter:g} {self.severities.unit} failed on a scan of "
                f"{tuple(scan.voxels.shape)} voxels: {error}"
            ) from error
        if not isinstance(result, Scan) or not isinstance(result.voxels, Tensor):
            raise ValueError(f"{type(self).__name__} gave no scan; let corrupt end with scan.with_voxels(tensor)")
        if result.voxels.dtype != scan.voxels.dtype:
            result = result.with_voxels(result.voxels.to(scan.voxels.dtype))
        if result.voxels.shape != scan.voxels.shape or not torch.isfinite(result.voxels).all():
            raise ValueError(
                f"{type(self).__name__} at {parameter:g} {self.severities.unit} made a volume that is not finite or "
                "has another shape; look for extreme intensities in the file"
            )
        if self.moves_anatomy:
            return result
        is_same = scan.labels is None or (labels is not None and torch.equal(labels, scan.labels))
        if result.labels is not given.labels or not is_same:
            raise ValueError(f"{type(self).__name__} changed the label map but does not say moves_anatomy")
        return dataclasses.replace(result, labels=scan.labels)


def checked_severity(severity: int) -> int:
    """Give the severity back.

    Raises:
        ValueError: it is none of 1 to 5.
    """
    if isinstance(severity, bool) or severity not in range(1, NUM_SEVERITIES + 1):
        raise ValueError(f"severity is {severity!r}, it must be a whole number from 1 to {NUM_SEVERITIES}")
    return int(severity)


@dataclasses.dataclass(frozen=True)
class Calibrated:
    """A parameter of three digits, and the similarity that it reaches."""

    parameter: float
    reached: float


def find_parameter(severities: Severities, similarity: Callable[[float], float], target: float) -> Calibrated | None:
    """Look between neutral and extreme for the parameter with a similarity.

    Args:
        severities: of the corruption.
        similarity: of corrupted and clean volumes at a parameter; falls from 1 on the way to extreme.
        target: between 0 and 1.

    Returns:
        None where no parameter reaches it: even the extreme leaves the volumes more similar than that, or the least
        that the corruption can do, such as to lose one slice of few, leaves them less similar.

    Raises:
        ValueError: the target is not between 0 and 1.
    """
    if not 0 < target < 1:
        raise ValueError(f"the similarity to reach is {target:g}, it must lie between 0 and 1")
    near, far = severities.neutral, severities.extreme
    found = Calibrated(far, similarity(far))
    if found.reached > target + FOUND:
        return None
    for _ in range(NUM_STEPS):
        if abs(found.reached - target) <= FOUND:
            break
        # Three digits, so that machines that differ in the last bit find the same parameter.
        middle = float(f"{(near + far) / 2:.3g}")
        now = Calibrated(middle, similarity(middle))
        if abs(now.reached - target) < abs(found.reached - target):
            found = now
        near, far = (middle, far) if now.reached > target else (near, middle)
    return found if abs(found.reached - target) <= REACHED else None
