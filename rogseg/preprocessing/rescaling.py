"""What a case's own intensities are measured by: its lowest and highest voxel, or two percentiles between them."""

from collections.abc import Sequence

import numpy as np

from rogseg.preprocessing.volume import Volume
from rogseg.task_plan import ChannelIntensity

__all__ = ["WHOLE_RANGE", "Rescaling", "case_ranges", "rescaling_of"]

Rescaling = tuple[float, float] | None
"""Percentiles of the case that become 0 and 1; None for a channel whose raw numbers mean something by themselves."""

WHOLE_RANGE = (0.0, 100.0)


def rescaling_of(channel: ChannelIntensity) -> Rescaling:
    """What a plan asks of a channel."""
    return (channel.percentiles or WHOLE_RANGE) if channel.rescale else None


def case_ranges(
    volume: Volume, rescalings: Sequence[Rescaling], names: Sequence[object]
) -> tuple[tuple[float, float], ...]:
    """The two intensities of each channel that become 0 and 1 [raw units]; its whole range where nothing is rescaled.

    Args:
        volume: a case.
        rescalings: of its channels.
        names: of the channels in messages.

    Raises:
        ValueError: the volume cannot be used, or both percentiles are one value.
    """
    ranges = list(volume.checked_ranges(names))
    for index, (rescaling, name) in enumerate(zip(rescalings, names, strict=True)):
        if rescaling not in (None, WHOLE_RANGE):
            lowest, highest = np.percentile(volume.array[index], rescaling).tolist()
            if not lowest < highest:
                raise ValueError(
                    f"{name}: channel {index} has the value {lowest:g} at both percentiles {rescaling}, most of it is "
                    "one value; plan the task with percentiles further apart"
                )
            ranges[index] = (lowest, highest)
    return tuple(ranges)
