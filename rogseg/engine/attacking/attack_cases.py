"""Stored cases as an attack sees them: one volume, or the paper's one window around the foreground."""

import dataclasses
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rogseg.cases import IntensityBox
from rogseg.storage import StoredCase
from rogseg.task_plan import Region, Triple

__all__ = ["AttackCase", "Protocol", "foreground_window", "load_attack_case"]

Protocol = Literal["volume", "patch"]


@dataclasses.dataclass(frozen=True)
class AttackCase:
    """One case on a device.

    Args:
        case_id: its name.
        inputs: (1, C, D, H, W) [network units], inside the box.
        targets: (1, D, H, W) int64 class indices.
        box: valid intensities [network units].
        raw_width: width of the box in raw units [HU or scanner units], one number per channel.
        region: where the inputs lie in the stored volume.
    """

    case_id: str
    inputs: Tensor
    targets: Tensor
    box: IntensityBox
    raw_width: tuple[float, ...]
    region: Region


def foreground_window(label: np.ndarray, window_size: Triple) -> Region:
    """The window of the protocol ``patch``: centred on the mean foreground voxel, moved to lie inside the volume.

    Args:
        label: (D, H, W) class indices; without foreground the volume's centre is taken.
        window_size: extent [voxels]; an axis shorter than the window is taken whole.
    """
    points = np.argwhere(label > 0)
    centre = points.mean(axis=0) if len(points) else (np.array(label.shape) - 1) / 2
    cuts = []
    for middle, extent, length in zip(centre, window_size, label.shape, strict=True):
        start = int(np.clip(round(float(middle) - (extent - 1) / 2), 0, max(0, length - extent)))
        cuts.append(slice(start, min(start + extent, length)))
    return cuts[0], cuts[1], cuts[2]


def load_attack_case(
    case: StoredCase, protocol: Protocol, window_size: Triple, device: torch.device | str
) -> AttackCase:
    """Read what the protocol evaluates of a case.

    Raises:
        ValueError: the case has no label.
    """
    label = case.read_label()
    if label is None:
        raise ValueError(f"{case.directory}: the case has no label, so an attack on it cannot be scored; leave it out")
    region: Region = (slice(0, label.shape[0]), slice(0, label.shape[1]), slice(0, label.shape[2]))
    if protocol == "patch":
        region = foreground_window(label, window_size)
    properties = case.properties
    box = IntensityBox.per_channel(properties.box_lower, properties.box_upper)
    box = IntensityBox(box.lower.to(device), box.upper.to(device))
    inputs = torch.from_numpy(case.read_image(region))[None].to(device)
    return AttackCase(
        case_id=properties.case_id,
        # Stored intensities were clipped in another precision than the box is compared in.
        inputs=inputs.clamp(box.lower, box.upper),
        targets=torch.from_numpy(label[region].astype(np.int64))[None].to(device),
        box=box,
        raw_width=tuple(u - low for low, u in zip(properties.raw_lower, properties.raw_upper, strict=True)),
        region=region,
    )
