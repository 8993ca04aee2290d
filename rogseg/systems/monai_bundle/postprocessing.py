"""What a bundle's postprocessing decides by, and which of its steps are no part of the system here."""

import dataclasses
from typing import Any, Literal

from rogseg.systems.monai_bundle.config_file import ABSENT, BundleConfig
from rogseg.systems.monai_bundle.preprocessing import WITHOUT_EFFECT, first_of, transforms_of

__all__ = ["OutputReading", "read_postprocessing"]

# They bring a label map to a file, or let go of one.
ABOUT_FILES = ("Invert", "SaveImage", "DeleteItems", "CopyItems", "FlattenSubKeys")
DECIDING = ("sigmoid", "softmax", "other", "argmax", "threshold")


@dataclasses.dataclass(frozen=True)
class OutputReading:
    """What a postprocessing says: the activation, and which of its steps are no part of the system here."""

    activation: Literal["softmax", "sigmoid"] | None
    left_out: tuple[str, ...]


def read_postprocessing(
    config: BundleConfig, entry: str = "postprocessing", *, probabilities: bool = False
) -> OutputReading:
    """The activation that a postprocessing ends in, and how it decides.

    Args:
        config: of the bundle.
        entry: that holds the postprocessing.
        probabilities: whether the network ends in its activation.

    Raises:
        ValueError: it decides otherwise than by the largest channel, or by whether a sigmoid is above 0.5.
    """
    activation: Literal["softmax", "sigmoid"] | None = None
    left_out = []
    if config.raw(entry) is not ABSENT:
        for place, name, step in transforms_of(config, entry):
            arguments = {key: first_of(config.value(f"{place}#{key}")) for key in DECIDING if key in step}
            if name == "Activations":
                activation = _activation(arguments, f"{config.path}: {place} ({name})") or activation
            elif name == "AsDiscrete":
                cut = 0.5 if probabilities or activation is not None else 0
                activation = _decision(activation, arguments, cut, f"{config.path}: {place} ({name})")
            elif name not in WITHOUT_EFFECT and name not in ABOUT_FILES:
                left_out.append(name)
    return OutputReading(activation, tuple(left_out))


def _activation(arguments: dict[str, Any], where: str) -> Literal["softmax", "sigmoid"] | None:
    if arguments.get("other") is not None:
        raise ValueError(f"{where}: other is a function, which is not followed here; known are softmax and sigmoid")
    if arguments.get("sigmoid") is True:
        return "sigmoid"
    return "softmax" if arguments.get("softmax") is True else None


def _decision(
    activation: Literal["softmax", "sigmoid"] | None, arguments: dict[str, Any], cut: float, where: str
) -> Literal["softmax", "sigmoid"] | None:
    """The largest channel wins whatever stands before it; channels that are cut are independent."""
    threshold = arguments.get("threshold")
    if arguments.get("argmax") is True and threshold is None:
        return "softmax"
    if threshold is None:
        return activation
    if activation == "softmax" or arguments.get("argmax") is True or threshold != cut:
        raise ValueError(
            f"{where}: threshold is {threshold!r:.80}, and channels are cut where their sigmoid is 0.5 here, which is "
            f"{cut} of what comes to this step, or the largest one wins (argmax); where the network ends in its "
            "sigmoid, say probabilities=True; else let a module around the network shift its logits, as a TorchModule"
        )
    return "sigmoid"
