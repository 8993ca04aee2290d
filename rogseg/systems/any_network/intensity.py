"""What becomes of a raw image's intensities: MONAI's transforms under their own names, and functions of one's own."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.foreign import decode
from rogseg.systems.any_network.import_path import given_by, imported
from rogseg.systems.any_network.scaled_image import ScaledImage

__all__ = ["STEPS", "IntensityStep", "build_steps", "called_by"]


class IntensityStep(ABC):
    """One transform of intensities; its arguments are those of MONAI's."""

    @abstractmethod
    def apply(self, image: ScaledImage) -> None:
        """Change the image in place.

        Raises:
            ValueError: the image cannot be used so.
        """


@dataclasses.dataclass(frozen=True)
class ScaleIntensityRange(IntensityStep):
    """From [a_min, a_max] to [b_min, b_max], clipped to it or not."""

    a_min: float
    a_max: float
    b_min: float | None = None
    b_max: float | None = None
    clip: bool = False

    def __post_init__(self) -> None:
        if not self.a_min < self.a_max:
            raise ValueError(f"ScaleIntensityRange: a_min must be below a_max, got {self.a_min} and {self.a_max}")
        _check_target("ScaleIntensityRange", self.b_min, self.b_max, self.clip)

    def apply(self, image: ScaledImage) -> None:
        """Every channel alike."""
        for channel in range(len(image.values)):
            image.scale_channel(channel, (self.a_min, self.a_max), _target(self.b_min, self.b_max), self.clip)


@dataclasses.dataclass(frozen=True)
class ScaleIntensityRangePercentiles(IntensityStep):
    """The same between two percentiles of the case."""

    lower: float
    upper: float
    b_min: float | None
    b_max: float | None
    clip: bool = False
    channel_wise: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.lower < self.upper <= 100:
            raise ValueError(f"ScaleIntensityRangePercentiles: lower and upper are percentiles, got {self}")
        _check_target("ScaleIntensityRangePercentiles", self.b_min, self.b_max, self.clip)

    def apply(self, image: ScaledImage) -> None:
        """Percentiles of each channel, or of all together."""
        for channels in _groups(len(image.values), self.channel_wise):
            low, high = np.percentile(image.values[list(channels)], (self.lower, self.upper)).tolist()
            for channel in channels:
                image.scale_channel(channel, (low, high), _target(self.b_min, self.b_max), self.clip)


@dataclasses.dataclass(frozen=True)
class ScaleIntensity(IntensityStep):
    """From the case's own range to [minv, maxv]."""

    minv: float = 0.0
    maxv: float = 1.0
    channel_wise: bool = False

    def apply(self, image: ScaledImage) -> None:
        """The range of each channel, or of all together."""
        for channels in _groups(len(image.values), self.channel_wise):
            part = image.values[list(channels)]
            for channel in channels:
                image.scale_channel(channel, (float(part.min()), float(part.max())), (self.minv, self.maxv), False)


@dataclasses.dataclass(frozen=True)
class NormalizeIntensity(IntensityStep):
    """Minus the mean, over the standard deviation: of the case or as given; of voxels that are not 0, or of all.

    Args:
        subtrahend: instead of the mean: a number, or one per channel.
        divisor: instead of the deviation, likewise.
        nonzero: voxels that are 0 stay 0, do not count, and are frozen.
        channel_wise: statistics of each channel instead of all together.
    """

    subtrahend: Any = None
    divisor: Any = None
    nonzero: bool = False
    channel_wise: bool = False

    def apply(self, image: ScaledImage) -> None:
        """Channel by channel or group by group."""
        number = len(image.values)
        mask = image.values != 0 if self.nonzero else np.ones_like(image.values, dtype=np.bool_)
        for channels in _groups(number, self.channel_wise):
            inside = image.values[list(channels)][mask[list(channels)]].astype(np.float64)
            if not inside.size:
                continue
            for channel in channels:
                mean = float(inside.mean()) if self.subtrahend is None else _entry(self.subtrahend, channel, number)
                deviation = float(inside.std()) if self.divisor is None else _entry(self.divisor, channel, number)
                deviation = deviation or 1.0
                image.map_channel(channel, 1 / deviation, -mean / deviation, mask[channel] if self.nonzero else None)
        if self.nonzero and not mask.all():
            frozen: NDArray[np.bool_] = np.logical_not(mask.any(axis=0))
            image.frozen = frozen if image.frozen is None else image.frozen | frozen


@dataclasses.dataclass(frozen=True)
class Function(IntensityStep):
    """A function of one's own from raw to network units, (C, D, H, W) float32 to the same shape.

    Args:
        call: its import path.
        lower: what it gives at least, per channel [network units].
        upper: what it gives at most.
        raw_lower: the raw intensity that becomes ``lower`` [HU or scanner units]; without, epsilon has no raw units.
        raw_upper: that becomes ``upper``.
    """

    call: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    raw_lower: tuple[float, ...] | None = None
    raw_upper: tuple[float, ...] | None = None

    def apply(self, image: ScaledImage) -> None:
        """Call it on the whole image."""
        number = len(image.values)
        ends = [ends for ends in (self.lower, self.upper, self.raw_lower, self.raw_upper) if ends is not None]
        if any(len(values) != number for values in ends) or len(ends) == 3:
            raise ValueError(
                f"inputs.intensity: Function needs lower and upper, and raw_lower and raw_upper together or not at "
                f"all, with one number for each of the {number} channels"
            )
        if not all(low < high for low, high in zip(self.raw_lower or (), self.raw_upper or (), strict=True)):
            raise ValueError(
                f"inputs.intensity: raw_lower {self.raw_lower} must be below raw_upper {self.raw_upper}; where a "
                "Function turns intensities over, leave both out"
            )
        values = np.asarray(given_by(self.call, image.values.copy(), "inputs.intensity: call"), dtype=np.float32)
        lower, upper = (np.array(bound, np.float32)[:, None, None, None] for bound in (self.lower, self.upper))
        if values.shape != image.values.shape or not ((values >= lower) & (values <= upper)).all():
            raise ValueError(
                f"inputs.intensity: {self.call} must give an array of shape {image.values.shape} between lower "
                f"{self.lower} and upper {self.upper}; it gave shape {values.shape}, {values.min()} to {values.max()}"
            )
        image.values, image.windows = values, list(zip(self.lower, self.upper, strict=True))
        image.scale = None
        if self.raw_lower is not None and self.raw_upper is not None:
            pairs = list(zip(self.raw_lower, self.raw_upper, image.windows, strict=True))
            image.scale = [(high - low) / (ends[1] - ends[0]) for low, high, ends in pairs if ends is not None]
            image.offset = [
                low - scale * bound for low, scale, bound in zip(self.raw_lower, image.scale, self.lower, strict=True)
            ]


STEPS: dict[str, type[IntensityStep]] = {
    step.__name__: step
    for step in (ScaleIntensityRange, ScaleIntensityRangePercentiles, ScaleIntensity, NormalizeIntensity, Function)
}


def build_steps(configs: Sequence[Any], where: str) -> tuple[IntensityStep, ...]:
    """Transforms from ``dict(type=..., ...)``.

    Raises:
        ValueError: a type or an argument is unknown, missing or of another type than it must be.
    """
    steps = []
    for index, config in enumerate(configs):
        place = f"{where}[{index}]"
        if not isinstance(config, dict) or config.get("type") not in STEPS:
            raise ValueError(f"{place} is {config!r:.80}, it must be dict(type=...) with one of {', '.join(STEPS)}")
        arguments = {key: value for key, value in config.items() if key != "type"}
        steps.append(decode(arguments, STEPS[config["type"]], place))
    if len(steps) > 1 and any(isinstance(step, Function) for step in steps):
        raise ValueError(f"{where}: a Function gives network units from raw ones, so it stands alone")
    return tuple(steps)


def called_by(inputs: Mapping[str, Any]) -> Iterator[Callable[..., Any]]:
    """The functions of the user's own that a system's inputs go through."""
    for config in inputs.get("intensity", ()):
        if isinstance(config, Mapping) and config.get("type") == Function.__name__ and "call" in config:
            yield imported(str(config["call"]), "inputs.intensity: call")


def _groups(number: int, channel_wise: bool) -> list[range]:
    return [range(index, index + 1) for index in range(number)] if channel_wise else [range(number)]


def _target(lower: float | None, upper: float | None) -> tuple[float, float]:
    """MONAI scales to [0, 1] where it is not told."""
    return (0.0, 1.0) if lower is None or upper is None else (lower, upper)


def _check_target(name: str, lower: float | None, upper: float | None, clip: bool) -> None:
    if (lower is None) != (upper is None) or (lower is not None and upper is not None and lower >= upper):
        raise ValueError(f"{name}: b_min must be below b_max, or neither be given, got {lower} and {upper}")
    if clip and lower is None:
        raise ValueError(f"{name}: clip needs b_min and b_max")


def _entry(value: Any, channel: int, number: int) -> float:
    entries = list(value) if isinstance(value, list | tuple) else [value] * number
    if len(entries) != number or not all(type(entry) in (int, float) for entry in entries):
        raise ValueError(f"NormalizeIntensity: {value!r} must be a number, or {number} of them, one per channel")
    return float(entries[channel])
