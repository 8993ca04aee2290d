"""A bundle's preprocessing and postprocessing, read as what our own grid and intensity code does."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

from rogseg.systems.monai_bundle.allowed_names import transform_name
from rogseg.systems.monai_bundle.config_file import ABSENT, BundleConfig

__all__ = ["InputReading", "OutputReading", "read_postprocessing", "read_preprocessing"]

# They change neither a voxel nor its place.
WITHOUT_EFFECT = ("LoadImage", "EnsureChannelFirst", "EnsureType", "ToTensor", "CastToType", "Identity", "SelectItems")
# They bring a label map to a file, or let go of one.
ABOUT_FILES = ("Invert", "SaveImage", "DeleteItems", "CopyItems", "FlattenSubKeys")
INTENSITIES = {
    "ScaleIntensityRange": ("a_min", "a_max", "b_min", "b_max", "clip"),
    "ScaleIntensityRangePercentiles": ("lower", "upper", "b_min", "b_max", "clip", "channel_wise"),
    "ScaleIntensity": ("minv", "maxv", "channel_wise"),
    "NormalizeIntensity": ("subtrahend", "divisor", "nonzero", "channel_wise"),
}
# Arguments that are not followed, with the values under which they do nothing.
NOT_FOLLOWED: dict[str, dict[str, tuple[Any, ...]]] = {
    "ScaleIntensity": {"factor": (None, 0)},
    "ScaleIntensityRangePercentiles": {"relative": (None, False)},
    "Orientation": {"as_closest_canonical": (False,), "labels": (None, [["L", "R"], ["P", "A"], ["I", "S"]])},
    "Spacing": {"diagonal": (False,), "min_pixdim": (None,), "max_pixdim": (None,)},
    "DivisiblePad": {"mode": ("constant",), "method": ("symmetric",), "value": (0,), "constant_values": (0,)},
}
# They say how MONAI computes, or where its grid lies within ours.
WITHOUT_MEANING = ("padding_mode", "align_corners", "scale_extent", "recompute_affine", "ensure_same_shape", "lazy")
EXACT = ("None", "float", "float32", "float64", "double")  # types that keep intensities as they are
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
        if keys is not None and image_key not in (keys if isinstance(keys, list) else [keys]):
            continue
        where = f"{config.path}: {place} ({name})"
        _refuse_other_type(config, place, step, where)
        if name in WITHOUT_EFFECT:
            continue
        if name not in _FOLLOWED and name not in INTENSITIES:
            raise ValueError(
                f"{where} is not followed here; known are {', '.join((*WITHOUT_EFFECT, *_FOLLOWED, *INTENSITIES))}. "
                "Evaluate the network as a TorchModule with an intensity function of your own"
            )
        _refuse_other_order(reading, name, where)
        arguments = {key: config.value(f"{place}#{key}") for key in step if key not in _ABOUT_THE_STEP}
        _refuse_not_followed(name, arguments, where)
        if name in INTENSITIES:
            kept = {key: arguments[key] for key in INTENSITIES[name] if key in arguments}
            reading.intensity.append({"type": name, **kept})
        else:
            _FOLLOWED[name][1](reading, arguments, where)
    return reading


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
        for place, name, step in _transforms(config, entry):
            arguments = {key: _first(config.value(f"{place}#{key}")) for key in _DECIDING if key in step}
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


_DECIDING = ("sigmoid", "softmax", "other", "argmax", "threshold")
_ABOUT_THE_STEP = ("_target_", "_disabled_", "_desc_", "keys", "allow_missing_keys", "dtype")


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


def _refuse_not_followed(name: str, arguments: dict[str, Any], where: str) -> None:
    known = {*(INTENSITIES.get(name) or _FOLLOWED[name][0]), *WITHOUT_MEANING}
    for key, value in arguments.items():
        if key not in known and value not in NOT_FOLLOWED.get(name, {}).get(key, ()):
            raise ValueError(
                f"{where}: {key} is {value!r:.80}, which is not followed here; take it out where it changes nothing, "
                "or evaluate the network as a TorchModule"
            )


def _refuse_other_type(config: BundleConfig, place: str, step: dict[str, Any], where: str) -> None:
    """By its name, since ``$torch.float32`` needs not be run to be known."""
    given = step.get("dtype")
    dtype = _first(config.value(f"{place}#dtype") if isinstance(given, str) and given[0] == "@" else given)
    if getattr(dtype, "__name__", str(dtype)).rpartition(".")[2] not in EXACT:
        raise ValueError(
            f"{where}: dtype is {dtype!r:.80}, and intensities are not rounded here; take it out, or evaluate the "
            "network as a TorchModule with an intensity function of your own"
        )


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


_FOLLOWED: dict[str, tuple[tuple[str, ...], Callable[[InputReading, dict[str, Any], str], None]]] = {
    "Orientation": (("axcodes",), _orientation),
    "Spacing": (("pixdim", "mode"), _spacing),
    "DivisiblePad": (("k",), _padding),
}
