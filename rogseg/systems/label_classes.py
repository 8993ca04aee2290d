"""What a network's channels mean: labels or regions, and the scores whose argmax is the decision."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import LogitFn
from rogseg.systems.base import System, SystemClass

__all__ = ["LabelClasses", "LabelledSystem"]


@dataclasses.dataclass(frozen=True)
class LabelClasses:
    """The foreground classes of a network, in the order of its channels.

    Args:
        classes: names and raw values. A value that several regions hold has, in index maps, the index of the last of
            them: the decision that follows when every region is right.
        written: the label value that is written where a class is decided, one value per class.
        regions: whether the channels are independent sigmoids, one per region; else a softmax with the background.
        ignore_value: raw value of voxels that nobody labelled; None where there is none.

    Raises:
        ValueError: a raw value lies in other regions than the value that is decided where all of them are right, so
            that no decision could be right there.
    """

    classes: tuple[SystemClass, ...]
    written: tuple[int, ...]
    regions: bool
    ignore_value: int | None = None

    def __post_init__(self) -> None:
        for value in sorted({value for entry in self.classes for value in entry.values}):
            holding = [index for index, entry in enumerate(self.classes) if value in entry.values]
            decided = self.written[holding[-1]]
            names = [self.classes[index].name for index in holding]
            others = [entry.name for entry in self.classes if decided in entry.values]
            if names != others:
                raise ValueError(
                    f"voxels of the label value {value} lie in {', '.join(names)}; where the network finds all of "
                    f"these, {decided} is decided for, which lies in {', '.join(others) or 'none'}: regions must lie "
                    "in one another or apart, and each must be written as a value that is its own. Mend the values, or "
                    "take such of the network's channels as do, by a module around it that gives these alone"
                )

    @classmethod
    def from_dataset(cls, dataset: Mapping[str, Any]) -> "LabelClasses":
        """From a checked ``dataset.json`` of nnU-Net."""
        entries = {name: value for name, value in dataset["labels"].items() if name not in ("background", "ignore")}
        values = [tuple(value) if isinstance(value, list) else (value,) for value in entries.values()]
        regions = any(len(value) > 1 for value in values)
        # Labels are channels in the order of their values; regions in the order of the file.
        pairs = list(zip(entries, values, strict=True))
        if not regions:
            pairs.sort(key=lambda pair: pair[1])
        classes = tuple(SystemClass(name, value) for name, value in pairs)
        written = tuple(dataset["regions_class_order"]) if regions else tuple(value for (value,) in sorted(values))
        return cls(classes, written, regions, dataset["labels"].get("ignore"))

    @property
    def num_heads(self) -> int:
        """Channels of the network."""
        return len(self.classes) if self.regions else len(self.classes) + 1

    @property
    def raw_values(self) -> tuple[int, ...]:
        """Every raw value that a label map may hold, the ignore value included."""
        known = {0, *(value for entry in self.classes for value in entry.values)}
        return tuple(sorted(known if self.ignore_value is None else known | {self.ignore_value}))

    @property
    def decided_values(self) -> tuple[int, ...]:
        """The raw value that each index of a decision stands for, the background's first."""
        return (0, *self.written)

    @property
    def class_indices(self) -> tuple[tuple[int, ...], ...]:
        """The indices of a decision that make up each class: of a region, all whose value lies in it."""
        return tuple(
            tuple(index for index, value in enumerate(self.written, start=1) if value in entry.values)
            for entry in self.classes
        )

    def scores(self, logits: Tensor) -> Tensor:
        """Scores (B, K, D, H, W) of the background and the classes from the network's logits (B, L, D, H, W).

        A softmax network's logits are its scores. Among regions the last with a positive logit wins: a region scores
        the smaller of its own logit and of minus the largest later one, the background minus the largest of all, so
        that exactly one score is positive, with a gradient. They are halved, so that one sigmoid channel l becomes
        (-l / 2, l / 2), whose softmax is that sigmoid.
        """
        if not self.regions:
            return logits
        scores = []
        later: Tensor | None = None
        for channel in reversed(logits.unbind(1)):
            scores.append(channel if later is None else torch.minimum(channel, -later))
            later = channel if later is None else torch.maximum(later, channel)
        assert later is not None, "a network has at least one channel"
        return torch.stack([-later, *reversed(scores)], dim=1) / 2

    def indices_of_raw(self, labels: NDArray[Any]) -> NDArray[np.uint8]:
        """Class indices of a map of raw values; voxels of the ignore value get 0."""
        table = np.zeros(max(self.raw_values) + 1, dtype=np.uint8)
        for index, entry in enumerate(self.classes, start=1):
            table[list(entry.values)] = index
        return table[labels]

    def labelled(self, labels: NDArray[Any]) -> NDArray[np.bool_] | None:
        """Where a map of raw values was labelled; None is everywhere."""
        return None if self.ignore_value is None else labels != self.ignore_value

    def indices_of_written(self, labels: NDArray[Any]) -> NDArray[np.uint8]:
        """Class indices of a map of written values."""
        table = np.zeros(256, dtype=np.uint8)
        for index, value in enumerate(self.written, start=1):
            table[value] = index
        return table[labels]


class LabelledSystem(System):
    """A system whose classes are those of `label_classes`; subclasses set it, and what is slid over volumes."""

    label_classes: LabelClasses
    _logits: LogitFn

    @property
    def logits(self) -> LogitFn:
        """Whole volumes -> the network's channels, blended from its windows; memory of one group of windows."""
        return self._logits

    @property
    def model(self) -> LogitFn:
        """What attacks take: the logits themselves, which can keep volumes open, unless regions need scores."""
        return super().model if self.label_classes.regions else self._logits

    def decide(self, logits: Tensor) -> Tensor:
        """Scores (B, K, D, H, W): the logits of labels; of regions, what makes the last positive one win."""
        return self.label_classes.scores(logits)

    @property
    def class_indices(self) -> tuple[tuple[int, ...], ...]:
        """The indices of a decision that make up each class; a region has several."""
        return self.label_classes.class_indices

    @property
    def label_values(self) -> tuple[int, ...]:
        """The raw value that is written for each index of a decision, the background's first."""
        return self.label_classes.decided_values
