"""What a network gives, made one tensor of raw logits: the right entry, no probabilities, classes in their order."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from rogseg.foreign import decode
from rogseg.raised_in import foreign_fault
from rogseg.systems.base import SystemClass
from rogseg.systems.label_classes import LabelClasses

__all__ = ["Outputs", "TrainedWindows", "WindowLogits"]

SUM_TOLERANCE = 1e-3  # of probabilities in half precision
# What a network raises that is given something else than it was made for.
NETWORK_ERRORS = (RuntimeError, ValueError, TypeError, AssertionError, IndexError, KeyError, NotImplementedError)


@dataclasses.dataclass(frozen=True)
class ClassEntry:
    """A foreground class: its name, its raw label values, whether it is one piece, and what is written for it."""

    name: str
    values: tuple[int, ...] | None = None
    kind: Literal["organ", "lesion"] = "organ"
    writes: int | None = None


@dataclasses.dataclass(frozen=True)
class Outputs:
    """What a network gives.

    Args:
        classes: the foreground classes in the order of the channels: a name, or ``dict(name=, values=, kind=,
            writes=)``. Values are raw label values, 1, 2, ... where none are given; a region has several.
        activation: what belongs behind the logits. ``softmax``: one channel per class and one for the background, which
            comes first. ``sigmoid``: one independent channel per foreground class; of overlapping regions the smallest
            one that is positive wins.
        probabilities: whether the activation is part of the network; they are then turned into logits.
        key: which entry of a tuple or dictionary; None where the network gives one tensor.

    Raises:
        ValueError: a class makes no sense.
    """

    classes: tuple[Any, ...]
    activation: Literal["softmax", "sigmoid"] = "softmax"
    probabilities: bool = False
    key: int | str | None = None

    @property
    def entries(self) -> tuple[ClassEntry, ...]:
        """The classes, complete."""
        entries = []
        for place, given in enumerate(self.classes):
            where = f"system.outputs.classes[{place}]"
            entry = decode({"name": given} if isinstance(given, str) else given, ClassEntry, where)
            values = (place + 1,) if entry.values is None else entry.values
            if not values or not all(0 < value < 256 for value in values):
                raise ValueError(f"{where}: values must be label values from 1 to 255, got {values}")
            entries.append(dataclasses.replace(entry, values=values))
        names = [entry.name for entry in entries]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"system.outputs.classes must name each foreground class once, got {names}")
        return tuple(entries)

    def label_classes(self) -> tuple[LabelClasses, tuple[int, ...]]:
        """What the channels mean, larger regions first, and which channel of the network each of them is.

        Raises:
            ValueError: it is not known what to write for a region, softmax classes share a value, or regions overlap.
        """
        entries, regions = self.entries, self.activation == "sigmoid"
        values = [frozenset(entry.values or ()) for entry in entries]
        if not regions and sum(map(len, values)) > len(frozenset().union(*values)):
            raise ValueError("system.outputs.classes share label values; the classes of a softmax exclude each other")
        order = tuple(sorted(range(len(entries)), key=lambda place: -len(values[place]))) if regions else None
        chosen = tuple(range(len(entries))) if order is None else order
        written = []
        for rank, place in enumerate(chosen):
            inner = [values[later] for later in chosen[rank + 1 :]] if regions else []
            own = values[place].difference(*inner)
            writes = entries[place].writes
            if writes is None and (len(own) == 1 or not regions):
                writes = min(own)
            if writes is None or writes not in values[place]:
                raise ValueError(
                    f"system.outputs.classes: say which of the label values {sorted(values[place])} stands for "
                    f"{entries[place].name!r} alone, with writes="
                )
            written.append(writes)
        classes = tuple(SystemClass(entries[i].name, entries[i].values or (), entries[i].kind) for i in chosen)
        try:
            return LabelClasses(classes, tuple(written), regions), chosen
        except ValueError as error:
            raise ValueError(f"system.outputs.classes: {error}") from error


class WindowLogits:
    """A network over windows, (B, C, d, h, w) -> raw logits (B, L, d, h, w) with the channels of its `LabelClasses`.

    Args:
        network: gives a tensor, or a tuple or dictionary with tensors.
        name: of the network, for messages.
        outputs: how they are read.
    """

    def __init__(self, network: Callable[[Tensor], Any], name: str, outputs: Outputs) -> None:
        self.network, self.name, self.outputs = network, name, outputs
        self.classes, self.order = outputs.label_classes()
        self._given_as: dict[bool, bool] = {}
        """Whether what the network gives is probabilities, in training mode and in evaluation."""

    def __call__(self, windows: Tensor) -> Tensor:
        """Call the network.

        Raises:
            ValueError: it does not take such windows, or gives something else than is said of it.
        """
        before = None if windows.is_inference() else windows._version
        try:
            given = self.network(windows)
        except NETWORK_ERRORS as error:
            if "memory" in str(error):
                raise
            reason = foreign_fault(error) or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            raise ValueError(
                f"{self.name}: the network does not take windows of shape {tuple(windows.shape)} ({reason}); check "
                "windows.size, inputs.channels and the network's arguments"
            ) from error
        if before is not None and windows._version != before:
            raise ValueError(
                f"{self.name}: the network changes its input in place, so whoever gave it would go on with another "
                "volume: let its forward begin with inputs = inputs.clone()"
            )
        logits = self._entry(given)
        expected = len(self.classes.classes) + (not self.classes.regions)
        if logits.ndim != 5 or logits.shape[2:] != windows.shape[2:] or logits.shape[1] != expected:
            raise ValueError(
                f"{self.name}: the network gives shape {tuple(logits.shape)} for windows {tuple(windows.shape)}; with "
                f"{self.outputs.activation} and the {len(self.classes.classes)} foreground classes of outputs.classes "
                f"(B, {expected}, D, H, W) on the same grid is expected"
            )
        if self._are_probabilities(logits.detach(), windows):
            logits = self._logits_of(logits)
        return logits[:, list(self.order)] if self.classes.regions and len(self.order) > 1 else logits

    def _entry(self, given: Any) -> Tensor:
        key = self.outputs.key
        if isinstance(given, Tensor) and key is None:
            return given
        entries: dict[Any, Any] = {}
        if isinstance(given, Mapping):
            entries = dict(given)
        elif isinstance(given, list | tuple):
            entries = dict(enumerate(given))
        if isinstance(entries.get(key), Tensor):
            return entries[key]
        found = {name: tuple(value.shape) if isinstance(value, Tensor) else "..." for name, value in entries.items()}
        what = f"{type(given).__name__} with {found}" if entries else f"{type(given).__name__} alone"
        raise ValueError(
            f"{self.name}: outputs.key is {key!r}, and the network gives a {what}; name one of its entries"
        )

    def _are_probabilities(self, values: Tensor, windows: Tensor) -> bool:
        """Whether values are probabilities, looked at until a window tells it, once in training mode and once not.

        Probabilities taken for logits would give attacks a blunted gradient, and logits no logarithm. A network whose
        last activation works in evaluation alone gives logits in training, which are then taken as they are.
        """
        training = isinstance(self.network, nn.Module) and self.network.training
        if training in self._given_as:
            return self._given_as[training]
        inside = bool((values >= 0).all()) and bool((values <= 1).all())
        could_be = inside and (self.classes.regions or bool(((values.sum(1) - 1).abs() < SUM_TOLERANCE).all()))
        stated, mode = self.outputs.probabilities, "in training mode " if training else ""
        if could_be and (_is_flat(values) or _is_flat(windows)):
            return stated  # over air logits may lie in [0, 1] as well: a later window tells
        if could_be and not stated:
            raise ValueError(
                f"{self.name}: {mode}the network gives probabilities ({self.outputs.activation}), whose gradient is "
                "blunt where it is certain; leave the last layer away, or set outputs.probabilities=True, which takes "
                "the logarithm"
            )
        if stated and not could_be and not training:
            raise ValueError(
                f"{self.name}: outputs.probabilities is True, but the network gives values from "
                f"{float(values.min()):.3g} to {float(values.max()):.3g}, no probabilities of {self.outputs.activation}"
            )
        self._given_as[training] = could_be
        return could_be

    def _logits_of(self, probabilities: Tensor) -> Tensor:
        limits = torch.finfo(probabilities.dtype)
        if self.classes.regions:
            return torch.logit(probabilities, eps=limits.eps)
        return probabilities.clamp_min(limits.tiny).log()


def _is_flat(values: Tensor) -> bool:
    """Whether each channel (B, C, d, h, w) has one value over a window."""
    return bool((values.flatten(2).amax(2) == values.flatten(2).amin(2)).all())


class TrainedWindows(nn.Module):
    """The same as a module with the network's own parameters: what training calls.

    Args:
        network: whose parameters they are.
        window_logits: around the network.
    """

    def __init__(self, network: nn.Module, window_logits: WindowLogits) -> None:
        super().__init__()
        self.network, self.window_logits = network, window_logits

    def forward(self, windows: Tensor) -> Tensor:
        """(B, C, d, h, w) -> raw logits (B, L, d, h, w)."""
        return self.window_logits(windows)
