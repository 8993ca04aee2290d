"""What nnU-Net's normalisation of a case means: its valid range, and the line from network units to raw ones."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import IntensityBox

__all__ = ["RawLine", "case_box", "frozen_by_mask", "raw_line"]

SMALLEST_STD = 1e-8  # nnU-Net divides by no less


@dataclasses.dataclass(frozen=True)
class RawLine:
    """One channel of a case: raw value [HU or scanner units] = scale * network value + offset."""

    scale: float
    offset: float


def frozen_by_mask(plan: Mapping[str, Any]) -> bool:
    """Whether the plan normalises a channel inside the case's nonzero mask alone; only z-scoring looks at masks."""
    pairs = zip(plan["normalization_schemes"], plan["use_mask_for_norm"], strict=True)
    return any(scheme == "ZScoreNormalization" and masked for scheme, masked in pairs)


def raw_line(scheme: str, masked: bool, properties: Mapping[str, float], values: NDArray[Any], mask: Any) -> RawLine:
    """The line of one channel.

    Args:
        scheme: name of its normalisation.
        masked: whether the plan normalises it inside the mask alone.
        properties: of the channel's foreground intensities in the training cases.
        values: (D, H, W) raw values of the case, cropped as nnU-Net does before it normalises.
        mask: (D, H, W) bool, the case's nonzero mask in the same crop.
    """
    if scheme == "CTNormalization":
        return RawLine(max(properties["std"], SMALLEST_STD), properties["mean"])
    if scheme == "ZScoreNormalization":
        inside = values[mask] if masked else values
        return RawLine(max(float(inside.std()), SMALLEST_STD), float(inside.mean()))
    if scheme == "RescaleTo01Normalization":
        lowest = float(values.min())
        return RawLine(max(float(values.max()) - lowest, SMALLEST_STD), lowest)
    if scheme == "RGBTo01Normalization":
        return RawLine(255.0, 0.0)
    return RawLine(1.0, 0.0)


def case_box(
    schemes: Sequence[str], properties: Sequence[Mapping[str, float]], inputs: Tensor, case_id: str
) -> IntensityBox:
    """The valid range of each channel [network units].

    CT has the clipped window; what is normalised without a window has the case's own range after preprocessing, since
    no intensity beyond it was ever seen; colours have [0, 1]. A case's own values are always inside: where an
    interpolation overshoots a window, the range is that much wider.

    Args:
        schemes: normalisation of each channel.
        properties: foreground intensities of each channel.
        inputs: (1, C, D, H, W) [network units].
        case_id: for messages.

    Raises:
        ValueError: a channel is constant, so that there is no range to move in.
    """
    lower, upper = inputs.amin((0, 2, 3, 4)), inputs.amax((0, 2, 3, 4))
    for channel, scheme in enumerate(schemes):
        window = _window(scheme, properties[channel])
        if window is not None:
            lower[channel] = torch.minimum(lower[channel], window[0])
            upper[channel] = torch.maximum(upper[channel], window[1])
    constant = (lower >= upper).nonzero().flatten().tolist()
    if constant:
        raise ValueError(
            f"case {case_id!r}: channels {constant} are constant after nnU-Net's preprocessing, so there is no range "
            "to move in; give the case's real images or leave it out"
        )
    return IntensityBox(lower.reshape(1, -1, 1, 1, 1), upper.reshape(1, -1, 1, 1, 1))


def _window(scheme: str, properties: Mapping[str, float]) -> Tensor | None:
    """Lower and upper end, rounded as nnU-Net rounds a case's values: its own class maps the two numbers."""
    if scheme == "CTNormalization":
        from nnunetv2.preprocessing.normalization.default_normalization_schemes import CTNormalization

        ends = np.array([properties["percentile_00_5"], properties["percentile_99_5"]], dtype=np.float32)
        normalized = CTNormalization(use_mask_for_norm=False, intensityproperties=dict(properties)).run(ends)
        return torch.from_numpy(normalized)
    if scheme == "RGBTo01Normalization":
        return torch.tensor([0.0, 1.0])
    return None
