"""SavedVolume: one attacked case as the viewer shows it, and how it is kept in a file."""

import dataclasses
import io
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from rogseg.foreign import decode, read_arrays
from rogseg.storage import write_bytes_atomic

__all__ = ["VOLUMES", "SavedVolume"]

VOLUMES = "volumes"
"""The folder of saved volumes beside the records of their evaluation."""
REMEDY = "attack again and save the volumes"
MAX_BYTES = 2**31  # a page can carry far less
ADDED = ("clean_dice", "attacked_dice")
ARRAYS = {
    **dict.fromkeys(("image", "perturbation"), np.float32),
    **dict.fromkeys(("target", "clean", "attacked"), np.uint8),
    **dict.fromkeys(ADDED, np.float64),
}


@dataclasses.dataclass(frozen=True)
class SavedVolume:
    """One case under one attack, all on one grid.

    Args:
        case_id: its name.
        system: what was attacked.
        attack: its name.
        strength: epsilon as a fraction.
        label: the epsilon as it is written, such as 8/255.
        image: (C, D, H, W) clean intensities [raw units].
        perturbation: (C, D, H, W) adversarial minus clean [raw units].
        target: (D, H, W) class indices; so are the two predictions.
        clean: prediction on the clean volume.
        attacked: prediction on the adversarial volume.
        lower: of the intensity box, per channel [raw units].
        upper: of the intensity box, per channel [raw units].
        spacing: [mm].
        unit: of the raw intensities, such as HU.
        axes: where each axis points, such as RAS.
        channels: names.
        clean_dice: of each class without attack, as the records have it; NaN where they have none. Empty in files of
            older versions.
        attacked_dice: the same of the adversarial volume.

    Raises:
        ValueError: shapes do not fit together, an array is not finite, or ``axes`` is no orientation.
    """

    case_id: str
    system: str
    attack: str
    strength: float
    label: str
    image: NDArray[np.float32]
    perturbation: NDArray[np.float32]
    target: NDArray[np.uint8]
    clean: NDArray[np.uint8]
    attacked: NDArray[np.uint8]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    spacing: tuple[float, float, float]
    unit: str = ""
    axes: str = "RAS"
    channels: tuple[str, ...] = ("image",)
    clean_dice: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty(0))
    attacked_dice: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        where = f"saved volume of {self.case_id!r}"
        grid = self.target.shape
        if len(grid) != 3 or self.image.shape != (len(self.channels), *grid):
            raise ValueError(
                f"{where}: the image has shape {self.image.shape} and the target {grid}; expected (C, D, H, W) with "
                f"C = {len(self.channels)} channels, and (D, H, W)"
            )
        for name, shape in (("perturbation", self.image.shape), ("clean", grid), ("attacked", grid)):
            if getattr(self, name).shape != shape:
                raise ValueError(f"{where}: {name} has shape {getattr(self, name).shape}, expected {shape}")
        if not (np.isfinite(self.image).all() and np.isfinite(self.perturbation).all()):
            raise ValueError(f"{where}: image or perturbation is not finite")
        pairs = {frozenset("RL"), frozenset("AP"), frozenset("IS")}
        if len(self.axes) != 3 or any(sum(axis in pair for axis in self.axes) != 1 for pair in pairs):
            raise ValueError(f"{where}: axes is {self.axes!r}, expected three letters such as RAS")
        if any(not low < high for low, high in zip(self.lower, self.upper, strict=True)):
            raise ValueError(f"{where}: the intensity box {self.lower} to {self.upper} is empty")

    @property
    def name(self) -> str:
        """What the viewer lists."""
        return f"{self.case_id}, {self.attack}, {self.label}"

    def save(self, path: Path) -> None:
        """Write the volume to a compressed ``.npz``."""
        names, packed = (field.name for field in dataclasses.fields(self)), io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **{name: np.asarray(getattr(self, name)) for name in names})
        write_bytes_atomic(path, packed.getvalue())

    @classmethod
    def load(cls, path: Path) -> "SavedVolume":
        """Read what `save` wrote.

        Raises:
            ValueError: the file is damaged or not of this kind.
        """
        stored, values = read_arrays(path, MAX_BYTES, REMEDY), dict[str, Any]()
        try:
            for name, kind in get_type_hints(cls).items():
                if name in ADDED and name not in stored:
                    continue
                if name in ARRAYS:
                    values[name] = stored[name].astype(ARRAYS[name])
                else:
                    values[name] = decode(stored[name].tolist(), kind, name)
            return cls(**values)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: not a saved volume ({error}); {REMEDY}") from error
