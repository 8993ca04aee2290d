"""An image between raw and network units: its values, the line back to raw ones, and what is valid."""

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray

from rogseg.cases import IntensityBox

__all__ = ["Ends", "ScaledImage"]

Ends = tuple[float, float]


@dataclasses.dataclass
class ScaledImage:
    """An image on its way from raw to network units.

    Args:
        values: (C, D, H, W) float32.
        scale: of each channel: a raw value [HU or scanner units] is scale * value + offset; None where nothing says.
        offset: of each channel.
        windows: what each channel was clipped to; None where it was not.
        frozen: (D, H, W) bool, voxels that were left at 0; None where there are none.
    """

    values: NDArray[np.float32]
    scale: list[float] | None
    offset: list[float]
    windows: list[Ends | None]
    frozen: NDArray[np.bool_] | None = None

    @classmethod
    def raw(cls, values: NDArray[np.float32]) -> "ScaledImage":
        """An image before anything is done with it."""
        channels = len(values)
        return cls(values.copy(), [1.0] * channels, [0.0] * channels, [None] * channels)

    def map_channel(self, channel: int, factor: float, shift: float, mask: NDArray[np.bool_] | None = None) -> None:
        """Let ``value * factor + shift`` take the place of the values of a channel, where a mask says so.

        Raises:
            ValueError: brighter would become darker, so that widths and moves in raw units had another sign.
        """
        if not factor > 0:
            raise ValueError(
                f"channel {channel} is turned over (times {factor:g}), and what is followed here grows with raw "
                "intensities: give minv below maxv and a divisor above 0, or a Function of your own"
            )
        part = self.values[channel]
        mapped = (part.astype(np.float64) * factor + shift).astype(np.float32)
        self.values[channel] = mapped if mask is None else np.where(mask, mapped, part)
        window = self.windows[channel]
        if window is not None:
            self.windows[channel] = window[0] * factor + shift, window[1] * factor + shift
        if self.scale is not None:
            self.offset[channel] -= self.scale[channel] * shift / factor
            self.scale[channel] /= factor

    def scale_channel(self, channel: int, source: Ends, target: Ends, clip: bool) -> None:
        """Map one range of a channel onto another, and clip to it or not.

        Raises:
            ValueError: the first range is empty.
        """
        if not source[0] < source[1]:
            raise ValueError(
                f"channel {channel} cannot be scaled from {source[0]:g} to {source[1]:g}: its intensities are one value"
            )
        factor = (target[1] - target[0]) / (source[1] - source[0])
        self.map_channel(channel, factor, target[0] - source[0] * factor)
        if clip:
            self.clip_channel(channel, *target)

    def clip_channel(self, channel: int, lower: float, upper: float) -> None:
        """Clip a channel."""
        np.clip(self.values[channel], lower, upper, out=self.values[channel])
        window = self.windows[channel]
        self.windows[channel] = (lower, upper) if window is None else (max(lower, window[0]), min(upper, window[1]))

    def box(self, case_id: str) -> IntensityBox:
        """The valid range of each channel: what it was clipped to, else the case's own, beyond which nothing was seen.

        Raises:
            ValueError: a channel is constant, within what it was clipped to as well, or a value is not finite.
        """
        lower, upper = self.values.min((1, 2, 3)), self.values.max((1, 2, 3))
        if not np.isfinite((lower, upper)).all():
            raise ValueError(f"case {case_id!r}: intensities are not finite after inputs.intensity; check its numbers")
        if not (lower < upper).all():
            raise ValueError(
                f"case {case_id!r}: channels {np.flatnonzero(lower >= upper).tolist()} are constant after "
                "inputs.intensity, so a network sees nothing of them; give the case's real images or other numbers"
            )
        for channel, window in enumerate(self.windows):
            if window is not None:
                lower[channel], upper[channel] = min(lower[channel], window[0]), max(upper[channel], window[1])
        bounds = (torch.from_numpy(bound).reshape(1, -1, 1, 1, 1) for bound in (lower, upper))
        return IntensityBox(*bounds)
