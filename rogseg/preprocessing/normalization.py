"""From raw intensities to network units, and the box of valid intensities in both."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rogseg.preprocessing.slabs import slabs
from rogseg.task_plan import ChannelIntensity

__all__ = ["CaseBox", "case_box", "normalize"]


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


def normalize(image: NDArray[np.float32], box: CaseBox) -> None:
    """Turn a (C, D, H, W) image from raw to network units, in place: clip to the raw box, map it onto the network's.

    This is `rescale` (MR: from the case's own range to [0, 1]), clip and z-score in one linear map.
    """
    for channel, raw_lower, raw_upper, lower, upper in zip(
        image, box.raw_lower, box.raw_upper, box.box_lower, box.box_upper, strict=True
    ):
        for planes in slabs(len(channel), channel[0].size):  # a slab stays in the cache through all five steps
            part = channel[planes]
            np.clip(part, raw_lower, raw_upper, out=part)
            # From the lower end, so that large raw numbers do not cancel.
            part -= np.float32(raw_lower)
            part *= np.float32((upper - lower) / (raw_upper - raw_lower))
            part += np.float32(lower)
            np.clip(part, lower, upper, out=part)
