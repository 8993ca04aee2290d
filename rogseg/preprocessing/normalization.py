"""From raw intensities to network units, and the box of valid intensities in both."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.volume import Volume, slabs
from rogseg.task_plan import ChannelIntensity

__all__ = ["CaseBox", "Clipped", "case_box", "normalize", "refuse_empty_windows", "window_notes"]

END = 0.01  # of a window
MOST_ABOVE, MOST_BUNCHED = 0.5, 0.995


@dataclasses.dataclass(frozen=True)
class CaseBox:
    """The valid intensities of one case per channel: raw [HU or scanner units] and in network units.

    ``box_lower`` is what ``raw_lower`` becomes; for MR the raw numbers differ from case to case.
    """

    raw_lower: tuple[float, ...]
    raw_upper: tuple[float, ...]
    box_lower: tuple[float, ...]
    box_upper: tuple[float, ...]


def case_box(channels: Sequence[ChannelIntensity], minima: Sequence[float], maxima: Sequence[float]) -> CaseBox:
    """The intensity box of a case whose raw channels reach from `minima` to `maxima`."""
    raw_lower, raw_upper = [], []
    for channel, lowest, highest in zip(channels, minima, maxima, strict=True):
        offset, scale = (lowest, highest - lowest) if channel.rescale else (0.0, 1.0)
        raw_lower.append(offset + scale * channel.lower)
        raw_upper.append(offset + scale * channel.upper)
    return CaseBox(
        tuple(raw_lower),
        tuple(raw_upper),
        tuple(channel.box[0] for channel in channels),
        tuple(channel.box[1] for channel in channels),
    )


@dataclasses.dataclass(frozen=True)
class Clipped:
    """What a window left of a channel.

    Args:
        above: share of the voxels above it, of those that do not lie below it.
        bunched: share of the voxels at one end of the window or beyond it, whichever has more of them.
    """

    above: float
    bunched: float


def normalize(image: NDArray[np.float32], box: CaseBox) -> tuple[Clipped, ...]:
    """Turn a (C, D, H, W) image from raw to network units, in place: clip to the raw box, map it onto the network's.

    This is `rescale` (MR: from the case's own range to [0, 1]), clip and z-score in one linear map.

    Returns:
        What was clipped, per channel.
    """
    clipped = []
    for channel, raw_lower, raw_upper, lower, upper in zip(
        image, box.raw_lower, box.raw_upper, box.box_lower, box.box_upper, strict=True
    ):
        below = above = low = high = 0
        margin = END * (raw_upper - raw_lower)
        for planes in slabs(len(channel), channel[0].size):  # a slab stays in the cache through all five steps
            part = channel[planes]
            below += int(np.count_nonzero(part < raw_lower))
            above += int(np.count_nonzero(part > raw_upper))
            low += int(np.count_nonzero(part < raw_lower + margin))
            high += int(np.count_nonzero(part > raw_upper - margin))
            np.clip(part, raw_lower, raw_upper, out=part)
            # From the lower end, so that large raw numbers do not cancel.
            part -= np.float32(raw_lower)
            part *= np.float32((upper - lower) / (raw_upper - raw_lower))
            part += np.float32(lower)
            np.clip(part, lower, upper, out=part)
        clipped.append(Clipped(above / max(1, channel.size - below), max(low, high) / channel.size))
    return tuple(clipped)


def refuse_empty_windows(
    image: NDArray[np.float32], channels: Sequence[ChannelIntensity], box: CaseBox, volume: Volume, where: str
) -> None:
    """Refuse a case of which nothing is left in the window of a channel.

    Args:
        image: (C, D, H, W) [network units], as `normalize` left it.
        channels: of the task.
        box: of the case.
        volume: what the image was made from.
        where: names the case.

    Raises:
        ValueError: a channel is of one value.
    """
    for index, channel in enumerate(channels):
        values = image[index]
        # Most channels differ from their first voxel in their first slices.
        if any(bool((plane != values.flat[0]).any()) for plane in values):
            continue
        raw = volume.array[index]
        raise ValueError(
            f"{where}: channel {index} ({channel.modality}) reaches from {raw.min():g} to {raw.max():g} and is of one "
            f"value in the task's window, {box.raw_lower[index]:g} to {box.raw_upper[index]:g}, so a network sees "
            "nothing of it: check the unit of the file, its slope and intercept, and that it belongs to this task"
        )


def window_notes(channels: Sequence[ChannelIntensity], clipped: Sequence[Clipped]) -> tuple[str, ...]:
    """What to say of channels that the task's window does not fit; of rescaled ones it hangs on the brightest voxel."""
    notes = []
    for index, (channel, shares) in enumerate(zip(channels, clipped, strict=True)):
        name = f"channel {index} ({channel.modality})"
        if shares.bunched > MOST_BUNCHED:
            notes.append(
                f"{name}: {shares.bunched:.2%} of the voxels lie at one end of the window, where they look alike; "
                "the others are far from them, clip these before"
            )
        elif channel.rescale and shares.above > MOST_ABOVE:
            notes.append(
                f"{name}: {shares.above:.0%} of the voxels that are not background lie above the window and look alike "
                "to the network; the window was made from cases with brighter single voxels"
            )
    return tuple(notes)
