"""A bundle's preprocessing and postprocessing, read as what our own grid and intensity code does."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

from rogseg.systems.monai_bundle.allowed_names import transform_name
from rogseg.systems.monai_bundle.config_file import ABSENT, BundleConfig

__all__ = ["InputReading", "OutputReading", "read_postprocessing", "read_preprocessing"]

# They change neither a voxel nor its place.
WITHOUT_EFFECT = ("LoadImage", "EnsureChannelFirst", "EnsureType", "ToTensor", "CastToType", "Identity", "SelectItems")
INTENSITIES = {
    "ScaleIntensityRange": ("a_min", "a_max", "b_min", "b_max", "clip"),
    "ScaleIntensityRangePercentiles": ("lower", "upper", "b_min", "b_max", "clip", "channel_wise"),
    "ScaleIntensity": ("minv", "maxv", "channel_wise"),
    "NormalizeIntensity": ("subtrahend", "divisor", "nonzero", "channel_wise"),
}
# Arguments of these transforms that are not followed, with the values under which they do nothing.
NOT_FOLLOWED = {"factor": (None, 0, 0.0), "relative": (None, False)}
ORDERS = {"bilinear": "linear", "trilinear": "linear", 1: "linear", 3: "cubic"}


@dataclasses.dataclass
class InputReading:
    """What a preprocessing says: axes, spacing [mm], intensities, what volumes are padded to."""

    orientation: str | None = None
    spacing: tuple[float, ...] | None = None
    interpolation: Literal["cubic", "linear"] = "linear"
    intensity: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    multiple_of: int = 1


@dataclasses.dataclass(frozen=True)
class OutputReading:
    """What a postprocessing says: the activation, and which of its steps are no part of the system here."""

    activation: Literal["softmax", "sigmoid"] | None
    left_out: tuple[str, ...]


def read_preprocessing(config: BundleConfig, entry: str = "preprocessing") -> InputReading:
    """Follow the transforms of the image, one by one.

    Raises:
        ValueError: one is not known here, or stands where its order would matter.
    """
    reading, image_key = InputReading(), None
    for place, name, step in _transforms(config, entry):
        if "_disabled_" in step and config.value(f"{place}#_disabled_") is True:
            continue
        keys = config.value(f"{place}#keys") if "keys" in step else None
        image_key = _first(keys) if image_key is None else image_key
        if name in WITHOUT_EFFECT or (
            keys is not None and image_key not in (keys if isinstance(keys, list) else [keys])
        ):
            continue
        where = f"{config.path}: {place} ({name})"
        if name not in _FOLLOWED and name not in INTENSITIES:
            raise ValueError(
                f"{where} is not followed here; known are {', '.join((*WITHOUT_EFFECT, *_FOLLOWED, *INTENSITIES))}. "
                "Evaluate the network as a TorchModule with an intensity function of your own"
            )
        _refuse_other_order(reading, name, where)
        arguments = {key: config.value(f"{place}#{key}") for key in step if key not in _ABOUT_THE_STEP}
        if name in INTENSITIES:
            reading.intensity.append(_intensity(name, arguments, where))
        else:
            _FOLLOWED[name](reading, arguments, where)
    return reading


def read_postprocessing(config: BundleConfig, entry: str = "postprocessing") -> OutputReading:
    """The activation that a postprocessing ends in; None where it does not say."""
    activation: Literal["softmax", "sigmoid"] | None = None
    left_out = []
    if config.raw(entry) is not ABSENT:
        for place, name, step in _transforms(config, entry):
            arguments = {key: config.value(f"{place}#{key}") for key in _DECIDING if key in step}
            if name == "Activations":
                activation = "sigmoid" if arguments.get("sigmoid") is True else "softmax"
            elif name == "AsDiscrete" and activation is None:
                activation = "softmax" if arguments.get("argmax") is True else "sigmoid"
            elif name in ("KeepLargestConnectedComponent", "RemoveSmallObjects", "FillHoles", "LabelFilter"):
                left_out.append(name)
    return OutputReading(activation, tuple(left_out))


def _refuse_other_order(reading: InputReading, name: str, where: str) -> None:
    """Axes come first here, then the spacing, which is that of the turned axes, intensities, and padding with 0.

    Where the steps of a spacing are one length, it is the same for turned axes.
    """
    earlier = {
        "a change of spacing": name == "Orientation" and len(set(reading.spacing or ())) > 1,
        "a change of intensities": name == "Spacing" and bool(reading.intensity),
        "padding": name != "DivisiblePad" and reading.multiple_of > 1,
    }
    for step, applies in earlier.items():
        if applies:
            raise ValueError(f"{where} comes after {step}; here it comes before: swap the two")


_DECIDING = ("sigmoid", "softmax", "argmax")
_ABOUT_THE_STEP = ("_target_", "_disabled_", "_desc_", "keys", "allow_missing_keys")


def _first(keys: Any) -> Any:
    return keys[0] if isinstance(keys, list) and keys else keys


def _transforms(config: BundleConfig, entry: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Place, name and content of each transform, as they stand."""
    content = config.raw(entry)
    place = f"{entry}#transforms" if isinstance(content, dict) else entry
    steps = config.raw(place)
    if not isinstance(steps, list):
        raise ValueError(
            f"{config.path}: {entry} is no Compose of transforms, so it is not known what the network sees"
        )
    found = []
    for index in range(len(steps)):
        step = config.raw(f"{place}#{index}")
        if not isinstance(step, dict) or not isinstance(step.get("_target_"), str):
            raise ValueError(f"{config.path}: {place}#{index} is no object with _target_")
        found.append((f"{place}#{index}", transform_name(step["_target_"]), step))
    return found


def _intensity(name: str, arguments: dict[str, Any], where: str) -> dict[str, Any]:
    for key, harmless in NOT_FOLLOWED.items():
        if arguments.get(key) not in harmless:
            raise ValueError(f"{where}: {key} is {arguments[key]!r}, which is not followed here")
    kept = {key: arguments[key] for key in INTENSITIES[name] if key in arguments}
    return {"type": name, **kept}


def _orientation(reading: InputReading, arguments: dict[str, Any], where: str) -> None:
    if not isinstance(arguments.get("axcodes"), str):
        raise ValueError(f"{where}: axcodes must be three directions such as RAS")
    reading.orientation = arguments["axcodes"]


def _spacing(reading: InputReading, arguments: dict[str, Any], where: str) -> None:
    given = arguments.get("pixdim")
    steps: list[Any] = given if isinstance(given, list) else [given] * 3
    if len(steps) != 3 or not all(type(step) in (int, float) and step > 0 for step in steps):
        raise ValueError(f"{where}: pixdim must be three positive lengths [mm], got {given!r}")
    mode = arguments.get("mode", "bilinear")
    mode = mode[0] if isinstance(mode, list) and mode else mode
    if mode not in ORDERS:
        raise ValueError(f"{where}: mode is {mode!r}; images are interpolated by {', '.join(map(str, ORDERS))}")
    reading.spacing = tuple(map(float, steps))
    reading.interpolation = "cubic" if ORDERS[mode] == "cubic" else "linear"


def _padding(reading: InputReading, arguments: dict[str, Any], where: str) -> None:
    multiple = arguments.get("k")
    lengths: list[Any] = multiple if isinstance(multiple, list) else [multiple]
    if len(set(lengths)) != 1 or not all(type(length) is int and length >= 1 for length in lengths):
        raise ValueError(f"{where}: k must be one whole number for all axes, got {multiple!r}")
    reading.multiple_of = lengths[0]


_FOLLOWED: dict[str, Callable[[InputReading, dict[str, Any], str], None]] = {
    "Orientation": _orientation,
    "Spacing": _spacing,
    "DivisiblePad": _padding,
}
