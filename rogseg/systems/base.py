"""What is evaluated: whatever turns a raw case into a label map by a network."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case, LogitFn
from rogseg.preprocessing import Volume, read_label
from rogseg.storage import RawCase
from rogseg.systems.trainable import TrainableNetwork
from rogseg.task_plan import Triple

__all__ = ["System", "SystemChannel", "SystemClass", "SystemIdentity"]


@dataclasses.dataclass(frozen=True)
class SystemIdentity:
    """All that decides a system's outputs.

    Args:
        kind: of the system, such as ``rogseg`` or ``nnunet``.
        name: what a person calls it.
        digest: SHA-256 over the weights and everything else in its files that decides outputs.
        options: how it is run, such as overlap, mirroring and folds; JSON data.
        versions: of the packages that compute it; recorded, not compared.
    """

    kind: str
    name: str
    digest: str
    options: Mapping[str, Any]
    versions: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class SystemClass:
    """A foreground class.

    Args:
        name: of the class.
        values: raw label values that belong to it; several where it is a region of several labels.
        kind: an organ is one piece, a lesion any number.
    """

    name: str
    values: tuple[int, ...]
    kind: Literal["organ", "lesion"] = "organ"

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise ValueError(f"a class is called {self.name!r}; give it a name on one line")


@dataclasses.dataclass(frozen=True)
class SystemChannel:
    """An input channel: its name, its modality and the unit of its raw values, such as ``HU``."""

    name: str
    modality: str
    unit: str


class System(ABC):
    """A network with all that leads from a raw case to a label map.

    Attacks, corruptions and certificates never see a system: they see the callable `model`, tensors and boxes.
    """

    identity: SystemIdentity
    classes: tuple[SystemClass, ...]
    channels: tuple[SystemChannel, ...]
    differentiable: bool = True
    """Whether `logits` has a gradient; without one only black-box attacks are possible, and reports say so."""
    window_size: Triple | None = None
    """Extent of the windows that the network sees [voxels]; None where it sees whole volumes."""
    multiple_of: int = 1
    """What the lengths of whole volumes must be multiples of to be trained on [voxels]; `logits` takes any."""
    surface_tolerance: float = 1.0
    """How far a surface may be off for normalised surface Dice [mm]."""
    reads_axes_as_stored: bool = False
    """Whether it sees each file in its own order of axes, which may differ from case to case."""
    device: torch.device | None = None
    """Where its network runs, which records name; None where the system does not say."""
    location: Path | None = None
    """Folder that it was read from, where the record of a hardening lies beside it; None where there is none."""
    weights_file: Path | None = None
    """The file of its weights, where others may lie beside it; None where the whole folder is one network."""

    @abstractmethod
    def prepare(self, raw: RawCase) -> Case:
        """Bring a raw case to the network's grid and units, its label too where it has one.

        Raises:
            ValueError: a file cannot be used; the message names it, what is wrong and what to do.
        """

    @property
    @abstractmethod
    def logits(self) -> LogitFn:
        """Whole prepared volumes (B, C, D, H, W) -> the network's raw channels (B, L, D, H, W), exact gradient."""

    def decide(self, logits: Tensor) -> Tensor:
        """Scores (B, K, D, H, W), one per class, whose argmax is the system's decision; the logits of a softmax."""
        return logits

    @property
    def model(self) -> LogitFn:
        """What attacks take as their network: `logits`, then `decide`."""
        return lambda inputs: self.decide(self.logits(inputs))

    @abstractmethod
    def to_raw(self, logits: Tensor, case: Case) -> NDArray[np.uint8]:
        """Class indices (D, H, W) in the raw grid, from the logits (1, L, D, H, W) of a whole prepared case.

        Where the grids differ, logits or probabilities are resampled and the decision is made after that.
        """

    def raw_adversary(self, raw: RawCase, case: Case, adversarial: Tensor) -> Volume:
        """The image of a raw case, moved as its prepared case was moved: what a patient's file would hold.

        Prepared again it is the adversarial case up to rounding, unless the volume's ``notes`` say why it is another
        one, as where the plan resamples.

        Args:
            raw: the case's files.
            case: as `prepare` gives it, whole.
            adversarial: (1, C, D, H, W) [network units].

        Raises:
            ValueError: a file cannot be used, or no way leads from this system's volumes back to files.
        """
        raise ValueError(
            f"{self.identity.name}: adversarial volumes of a system of kind {self.identity.kind!r} are not brought "
            "back to files, so they can be neither saved nor given to another network; attack it without "
            "--save-adversarial, or make it the target of volumes that are made on another network"
        )

    def raw_probabilities(self, logits: Tensor, case: Case) -> NDArray[np.float32]:
        """Probabilities (K, D, H, W) of the classes in the raw grid, from the logits of a whole prepared case.

        Raises:
            ValueError: the system has none to give.
        """
        raise ValueError(
            f"{self.identity.name}: systems of this kind give label maps alone; leave --save-probabilities out"
        )

    @property
    def trainable(self) -> tuple[TrainableNetwork, ...]:
        """The networks whose mean is `logits`, to be trained further in place; none where that is not possible.

        Raises:
            ValueError: it would be, but for something that the message names.
        """
        return ()

    def write_back(self, out: Path) -> None:
        """Write the system in its own format, with the weights that its networks have now.

        Where a file keeps them in half precision, the networks have them afterwards as they were rounded.

        Args:
            out: a folder that does not exist yet; its parent does.

        Raises:
            ValueError: it has no format of its own.
        """
        raise ValueError(
            f"{self.identity.name}: a system of kind {self.identity.kind!r} has no format to write trained weights in"
        )

    def read_targets(self, raw: RawCase, grid: Volume) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
        """The label file of a case as class indices (D, H, W) in its raw grid, and which voxels count; None is all.

        Raises:
            ValueError: the file cannot be used, or holds a value that is not among the system's labels.
        """
        if raw.label is None:
            raise ValueError(f"case {raw.case_id!r} has no label")
        return read_label(raw.label, raw.images[0], grid, self.label_values), None

    @torch.no_grad()
    def segment(self, case: Case) -> NDArray[np.uint8]:
        """Class indices (D, H, W) of a prepared case in its raw grid.

        Raises:
            ValueError: the network's outputs are not finite.
        """
        return self.to_raw(self.finite_logits(case), case)

    def finite_logits(self, case: Case) -> Tensor:
        """The logits (1, L, D, H, W) of a case.

        Raises:
            ValueError: they are not finite, so every label would be an accident.
        """
        logits = self.logits(case.inputs)
        if not torch.isfinite(logits).all():
            raise ValueError(
                f"case {case.case_id!r}: the network {self.identity.name} gave outputs that are not finite: its "
                "weights are damaged or the case's intensities are; nothing was written"
            )
        return logits

    @property
    def class_indices(self) -> tuple[tuple[int, ...], ...]:
        """The class indices of a decision that make up each foreground class; a region may have several."""
        return tuple((index,) for index in range(1, self.num_classes))

    @property
    def label_values(self) -> tuple[int, ...]:
        """The raw label value of each class index of a decision, the background's first."""
        return (0, *(entry.values[0] for entry in self.classes))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the foreground classes."""
        return tuple(entry.name for entry in self.classes)

    @property
    def num_classes(self) -> int:
        """Number of classes K, the background included."""
        return len(self.classes) + 1
