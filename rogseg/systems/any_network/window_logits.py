"""What a network gives, made raw logits: the right entry or heads, no probabilities, classes in their order."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rogseg.inference.one_answer import is_flat, refuse_another_answer
from rogseg.raised_in import foreign_fault
from rogseg.systems.any_network.outputs import Outputs

__all__ = ["TrainedWindows", "WindowLogits"]

SUM_TOLERANCE = 1e-3  # of probabilities in half precision
# What a network raises that is given something else than it was made for.
NETWORK_ERRORS = (RuntimeError, ValueError, TypeError, AssertionError, IndexError, KeyError, NotImplementedError)


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
        self._must_repeat = True
        """Whether the answer to a window was not asked for twice yet; the first that is not flat tells."""
        self._given_as: dict[bool, bool] = {}
        """Whether what the network gives is probabilities, in training mode and in evaluation."""

    def __call__(self, windows: Tensor) -> Tensor:
        """Call the network.

        Raises:
            ValueError: it does not take such windows, or gives something else than is said of it.
        """
        found = self._entry(self._given(windows))
        if self._must_repeat and not (self._is_training or is_flat(windows)):
            self._refuse_another_answer(found.detach(), windows.detach())
            self._must_repeat = False
        return self._raw((found,), windows)[0]

    def probabilities(self, windows: Tensor) -> Tensor:
        """What a network that ends in its activation gives, its channels in the order of the classes.

        Raises:
            ValueError: as a call does.
        """
        logits = self(windows)
        return logits.sigmoid() if self.classes.regions else logits.softmax(1)

    def heads(self, windows: Tensor) -> tuple[Tensor, ...]:
        """Call the network in training mode, in which deep supervision gives logits on several grids, fine to coarse.

        They come as a list or a tuple, or as a stack (B, heads, L, d, h, w). Where ``outputs.key`` names an entry of
        several, that one is taken alone.

        Raises:
            ValueError: as a call does, or nothing of the kind comes.
        """
        given, key = self._given(windows), self.outputs.key
        if isinstance(given, Tensor):
            return self._raw(given.unbind(1) if given.ndim == 6 else (given,), windows)
        several = isinstance(given, list | tuple) and key is None
        found = tuple(given) if several else (_entries(given).get(key),)
        if not found or not all(isinstance(head, Tensor) and head.ndim == 5 for head in found):
            raise ValueError(
                f"{self.name}: in training mode the network gives a {_described(given)}; what can be trained is one "
                "tensor of logits (B, L, D, H, W), a list of such from fine to coarse, or a stack of them "
                "(B, heads, L, D, H, W): put a module around it that gives one of these when it is training"
            )
        return self._raw(found, windows)

    @property
    def _is_training(self) -> bool:
        return isinstance(self.network, nn.Module) and self.network.training

    def _given(self, windows: Tensor) -> Any:
        before, statistics = None if windows.is_inference() else windows._version, self._statistics()
        # Versions do not tell of writing through numpy or .data: the first windows, air left out, are compared as well.
        kept = None if self._is_training in self._given_as else windows.detach().clone()
        try:
            given = self.network(windows)
        except NETWORK_ERRORS as error:
            if "memory" in str(error):
                raise
            reason = foreign_fault(error) or f"{type(error).__name__}: {_what_failed(str(error))}"
            mode = "in training mode " if self._is_training else ""
            raise ValueError(
                f"{self.name}: {mode}the network does not take windows of shape {tuple(windows.shape)} ({reason}); "
                "check windows.size, multiple_of and windows.batch, inputs.channels and the network's arguments"
            ) from error
        if (before is not None and windows._version != before) or not (kept is None or torch.equal(windows, kept)):
            raise ValueError(
                f"{self.name}: the network changes its input in place, so whoever gave it would go on with another "
                "volume: let its forward begin with inputs = inputs.clone()"
            )
        if not self._is_training and self._statistics() != statistics:
            raise ValueError(
                f"{self.name}: the network changes its own buffers with each call, as batch norm does when it trains, "
                "so that labels would hang on the cases before: export it after network.eval()"
            )
        return given

    @torch.no_grad()
    def _refuse_another_answer(self, found: Tensor, windows: Tensor) -> None:
        again = self._entry(self._given(windows))
        refuse_another_answer(self.name, found, again)

    def _statistics(self) -> list[int]:
        """How often each buffer of the network was written."""
        buffers = self.network.buffers() if isinstance(self.network, nn.Module) else ()
        return [buffer._version for buffer in buffers if not buffer.is_inference()]

    def _raw(self, heads: tuple[Tensor, ...], windows: Tensor) -> tuple[Tensor, ...]:
        """Raw logits in the order of the classes; the first head has the windows' grid."""
        expected = len(self.classes.classes) + (not self.classes.regions)
        fits = all(head.ndim == 5 and head.shape[:2] == (len(windows), expected) for head in heads)
        if not fits or heads[0].shape[2:] != windows.shape[2:]:
            shapes = ", ".join(str(tuple(head.shape)) for head in heads)
            mode, order = ("in training mode ", ", from fine to coarse,") if len(heads) > 1 else ("", "")
            raise ValueError(
                f"{self.name}: {mode}the network gives shape {shapes} for windows {tuple(windows.shape)}; with "
                f"{self.outputs.activation} and the {len(self.classes.classes)} foreground classes of outputs.classes "
                f"(B, {expected}, D, H, W) on the same grid{order} is expected; else put a module around it"
            )
        if self._are_probabilities(heads[0].detach(), windows):
            heads = tuple(self.logits_of(head) for head in heads)
        if self.classes.regions and len(self.order) > 1:
            heads = tuple(head[:, list(self.order)] for head in heads)
        return heads

    def _entry(self, given: Any) -> Tensor:
        key = self.outputs.key
        if isinstance(given, Tensor) and key is None:
            return given
        if isinstance(found := _entries(given).get(key), Tensor):
            return found
        remedy = "leave the key away" if isinstance(given, Tensor) else "name one of its entries"
        raise ValueError(f"{self.name}: outputs.key is {key!r}, and the network gives a {_described(given)}; {remedy}")

    def _are_probabilities(self, values: Tensor, windows: Tensor) -> bool:
        """Whether values are probabilities, looked at until a window tells it, once in training mode and once not.

        Probabilities taken for logits would give attacks a blunted gradient, and logits no logarithm. A network whose
        last activation works in evaluation alone gives logits in training, which are then taken as they are.
        """
        training = self._is_training
        if training in self._given_as:
            return self._given_as[training]
        inside = bool((values >= 0).all()) and bool((values <= 1).all())
        could_be = inside and (self.classes.regions or bool(((values.sum(1) - 1).abs() < SUM_TOLERANCE).all()))
        stated, mode = self.outputs.probabilities, "in training mode " if training else ""
        if could_be and (is_flat(values) or is_flat(windows)):
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

    def logits_of(self, probabilities: Tensor) -> Tensor:
        """Raw logits whose activation gives these probabilities (B, L, d, h, w)."""
        limits = torch.finfo(probabilities.dtype)
        if self.classes.regions:
            return torch.logit(probabilities, eps=limits.eps)
        return probabilities.clamp_min(limits.tiny).log()


def _entries(given: Any) -> dict[Any, Any]:
    """What a dictionary, a list or a tuple holds, by key or number."""
    if isinstance(given, Mapping):
        return dict(given)
    return dict(enumerate(given)) if isinstance(given, list | tuple) else {}


def _described(given: Any) -> str:
    entries = _entries(given)
    found = {name: tuple(value.shape) if isinstance(value, Tensor) else "..." for name, value in entries.items()}
    return f"{type(given).__name__} with {found}" if entries else f"{type(given).__name__} alone"


def _what_failed(message: str) -> str:
    """The message on one line; of TorchScript, which tells the way there first, its end."""
    lines = message.strip().splitlines()
    return " ".join((lines[-1] if "TorchScript interpreter" in message else message).split())[:200]


class TrainedWindows(nn.Module):
    """The same as a module with the network's own parameters: what training calls.

    Args:
        network: whose parameters they are.
        window_logits: around the network.
    """

    def __init__(self, network: nn.Module, window_logits: WindowLogits) -> None:
        super().__init__()
        self.network, self.window_logits = network, window_logits

    def forward(self, windows: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(B, C, d, h, w) -> raw logits (B, L, d, h, w); in training mode of each head, from fine to coarse."""
        if not self.training:
            return self.window_logits(windows)
        heads = self.window_logits.heads(windows)
        return heads[0] if len(heads) == 1 else heads
