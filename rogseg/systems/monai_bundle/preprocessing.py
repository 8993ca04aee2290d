"""A bundle's preprocessing, read as what our own grid and intensity code does."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

from rogseg.systems.monai_bundle.allowed_names import transform_name
from rogseg.systems.monai_bundle.config_file import BundleConfig

__all__ = ["WITHOUT_EFFECT", "InputReading", "first_of", "read_preprocessing", "transforms_of"]

# They change neither a voxel nor its place.
WITHOUT_EFFECT = ("LoadImage", "EnsureChannelFirst", "EnsureType", "ToTensor", "CastToType", "Identity", "SelectItems")
INTENSITIES = {
    "ScaleIntensityRange": ("a_min", "a_max", "b_min", "b_max", "clip"),
    "ScaleIntensityRangePercentiles": ("lower", "upper", "b_min", "b_max", "clip", "channel_wise"),
    "ScaleIntensity": ("minv", "maxv", "channel_wise"),
    "NormalizeIntensity": ("subtrahend", "divisor", "nonzero", "channel_wise"),
}
# Arguments that are not followed, with the values under which they do nothing.
NOT_FOLLOWED: dict[str, dict[str, tuple[Any, ...]]] = {
    # Of its reader, which may turn the axes without a transform.
    "LoadImage": {
        "as_closest_canonical": (False,),
        "reverse_indexing": (False,),
        "index_order": ("F",),
        "affine_lps_to_ras": (True,),
    },
    "ScaleIntensity": {"factor": (None, 0)},
    "ScaleIntensityRangePercentiles": {"relative": (None, False)},
    "Orientation": {"as_closest_canonical": (False,), "labels": (None, [["L", "R"], ["P", "A"], ["I", "S"]])},
    "Spacing": {"diagonal": (False,), "min_pixdim": (None,), "max_pixdim": (None,)},
    "DivisiblePad": {"mode": ("constant",), "method": ("symmetric",), "value": (0,), "constant_values": (0,)},
}
# They say how MONAI computes, or where its grid lies within ours.
WITHOUT_MEANING = ("padding_mode", "align_corners", "scale_extent", "recompute_affine", "ensure_same_shape", "lazy")
IMAGE = "image"  # its key for MONAI's evaluators; without it the first one of the first transform
EXACT = ("None", "float", "float32", "float64", "double")  # types that keep intensities as they are
ORDERS = {"bilinear": "linear", "trilinear": "linear", 1: "linear", 3: "cubic"}


@dataclasses.dataclass
class InputReading:
    """What a preprocessing says: axes, spacing [mm], intensities, what volumes are padded to.

    ``has_place`` is whether the tensor still says where it lies, without which MONAI takes it for RAS of 1 mm.
    """

    orientation: str | None = None
    spacing: tuple[float, ...] | None = None
    interpolation: Literal["cubic", "linear"] = "linear"
    intensity: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    multiple_of: int = 1
    has_place: bool = True


def read_preprocessing(config: BundleConfig, entry: str = "preprocessing") -> InputReading:
    """Follow the transforms of the image, one by one.

    Raises:
        ValueError: one is not known here, or stands where its order would matter.
    """
    reading = InputReading()
    steps = transforms_of(config, entry)
    keys = {place: _keys_of(config, place) for place, _, step in steps if "keys" in step}
    loaded = next(iter(keys.values()), [])
    image_key = IMAGE if IMAGE in loaded else next(iter(loaded), None)
    for place, name, step in steps:
        if image_key not in keys.get(place, (image_key,)):
            continue
        where = f"{config.path}: {place} ({name})"
        _refuse_other_type(config, place, step, where)
        if name in WITHOUT_EFFECT:
            for holder in (place, f"{place}#reader") if isinstance(step.get("reader"), dict) else (place,):
                given = [key for key in NOT_FOLLOWED.get(name, ()) if key in config.raw(holder)]
                _refuse_not_followed(name, {key: config.value(f"{holder}#{key}") for key in given}, where)
            if "track_meta" in step and config.value(f"{place}#track_meta") is False:
                reading.has_place = False
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


def _refuse_other_order(reading: InputReading, name: str, where: str) -> None:
    """Axes come first here, then the spacing, which is that of the turned axes, intensities, and padding with 0.

    Where the steps of a spacing are one length, it is the same for turned axes.
    """
    earlier = {
        "a change of spacing": name == "Orientation" and len(set(reading.spacing or ())) > 1,
        "a change of intensities": name == "Spacing" and bool(reading.intensity),
        "padding": name != "DivisiblePad" and reading.multiple_of > 1,
        "a tensor that lost its place (track_meta)": name in ("Orientation", "Spacing") and not reading.has_place,
    }
    for step, applies in earlier.items():
        if applies:
            raise ValueError(f"{where} comes after {step}; here it comes before: swap the two")


_ABOUT_THE_STEP = ("_target_", "_disabled_", "_desc_", "keys", "allow_missing_keys", "dtype")


def _keys_of(config: BundleConfig, place: str) -> list[Any]:
    keys = config.value(f"{place}#keys")
    return list(keys) if isinstance(keys, list | tuple) else [keys]


def first_of(keys: Any) -> Any:
    """The first of a list, which is that of the image; else the value itself."""
    return keys[0] if isinstance(keys, list) and keys else keys


def transforms_of(config: BundleConfig, entry: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Place, name and content of each transform that is not disabled, as they stand."""
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
        if not ("_disabled_" in step and str(config.value(f"{place}#{index}#_disabled_")).lower() == "true"):
            found.append((f"{place}#{index}", transform_name(step["_target_"]), step))
    return found


def _refuse_not_followed(name: str, arguments: dict[str, Any], where: str) -> None:
    known = {*(INTENSITIES.get(name) or _FOLLOWED.get(name, ((),))[0]), *WITHOUT_MEANING}
    for key, value in arguments.items():
        if key not in known and value not in NOT_FOLLOWED.get(name, {}).get(key, ()):
            raise ValueError(
                f"{where}: {key} is {value!r:.80}, which is not followed here; take it out where it changes nothing, "
                "or evaluate the network as a TorchModule"
            )


def _refuse_other_type(config: BundleConfig, place: str, step: dict[str, Any], where: str) -> None:
    """By its name, since ``$torch.float32`` needs not be run to be known."""
    given = step.get("dtype")
    dtype = first_of(config.value(f"{place}#dtype") if isinstance(given, str) and given[:1] == "@" else given)
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
