"""What is certified: sigmas, taus, the number of noisy copies, and which classes may stand in for each other."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.certification import Smoothing
from rogseg.command_line import nearest
from rogseg.systems import System

__all__ = ["ANY_FOREGROUND", "SMOOTHING", "CertificateSettings", "condition_name", "parse_groups"]

SMOOTHING = "smoothing"
ANY_FOREGROUND = "any foreground"
BACKGROUND = "background"


@dataclasses.dataclass(frozen=True)
class CertificateSettings:
    """Settings of an evaluation; sigmas and taus may be added later to the same records.

    Args:
        sigmas: standard deviations of the noise, as fractions of the box's width.
        taus: shares of all noisy copies that have to agree; each gives a radius.
        alpha: chance that any statement about a case is wrong, for each sigma and tau.
        num_selection: copies that choose what is asked of a voxel.
        num_samples: copies that answer.
        groups: classes that a voxel may fall back to, by the name of the group; None is all foreground classes
            together, where there are several, as an organ and its lesions.

    Raises:
        ValueError: a number is out of range.
    """

    sigmas: tuple[float, ...] = (0.25, 0.5)
    taus: tuple[float, ...] = (0.75,)
    alpha: float = 0.001
    num_selection: int = 50
    num_samples: int = 200
    groups: Mapping[str, Sequence[str]] | None = None

    def __post_init__(self) -> None:
        if not self.sigmas or not self.taus:
            raise ValueError("a certificate needs at least one --sigma and one --tau")
        for sigma in self.sigmas:
            if sigma > 1:
                raise ValueError(
                    f"--sigma is {sigma:g}, more than the whole width of the box; give a fraction, such as 0.25"
                )
            for tau in self.taus:
                self.smoothing(sigma, 0).radius(tau)
        if not 0 < self.alpha < 1:
            raise ValueError(f"--alpha is {self.alpha}, it must lie between 0 and 1, for instance 0.001")

    def smoothing(self, sigma: float, seed: int) -> Smoothing:
        """The noise of one sigma."""
        return Smoothing(sigma, self.num_selection, self.num_samples, seed)

    def groups_of(self, system: System) -> dict[str, tuple[int, ...]]:
        """The class indices of each group, by its name.

        Raises:
            ValueError: a group names no class of the system, everything, or has the name of a class.
        """
        members = {BACKGROUND: (0,), **dict(zip(system.class_names, system.class_indices, strict=True))}
        named = self.groups
        if named is None:
            foreground = {index for indices in system.class_indices for index in indices}
            is_new = all(foreground != set(indices) for indices in system.class_indices)
            named = {ANY_FOREGROUND: system.class_names} if is_new else {}
        groups = {}
        for name, parts in named.items():
            for part in parts:
                if part not in members:
                    raise ValueError(f"--group {name}: {part!r} is no class: {nearest(part, members)}")
            indices = tuple(sorted({index for part in parts for index in members[part]}))
            if name in members:
                raise ValueError(f"--group {name}: a class has that name already; give the group another one")
            if len(indices) in (0, system.num_classes):
                raise ValueError(f"--group {name}: it must hold some of the classes {', '.join(members)}, not all")
            groups[name] = indices
        return groups

    def describe(self, groups: Mapping[str, Sequence[int]]) -> dict[str, Any]:
        """What the identity of an evaluation says about it; JSON data."""
        return {
            "type": SMOOTHING,
            "alpha": self.alpha,
            "num_selection": self.num_selection,
            "num_samples": self.num_samples,
            "groups": {name: list(indices) for name, indices in groups.items()},
        }


def condition_name(sigma: float) -> str:
    """What the records of one sigma are called."""
    return f"certified, sigma {sigma:.12g}"


def parse_groups(texts: Sequence[str] | None) -> dict[str, tuple[str, ...]] | None:
    """Read ``["whole liver=liver,cancer"]``; None stays None.

    Raises:
        ValueError: a text is not NAME=CLASS,CLASS, or two have one name.
    """
    if texts is None:
        return None
    groups: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, separator, classes = text.partition("=")
        parts = tuple(part.strip() for part in classes.split(",") if part.strip())
        if not separator or not name.strip() or not parts:
            raise ValueError(
                f'--group is {text!r}, it must be NAME=CLASS,CLASS, for instance "whole liver=liver,cancer"'
            )
        if name.strip() in groups:
            raise ValueError(f"--group: the name {name.strip()!r} stands there twice")
        groups[name.strip()] = parts
    return groups
