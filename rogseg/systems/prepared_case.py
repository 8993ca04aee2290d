"""Cases on the grid of a network that rogseg trained, from what its preprocessing made or stored."""

import numpy as np
import torch

from rogseg.cases import Case, IntensityBox
from rogseg.preprocessing import Preprocessed, network_axes, network_spacing
from rogseg.storage import StoredCase

__all__ = ["prepared_case", "stored_case"]


def stored_case(stored: StoredCase) -> Case:
    """A stored case, which spares the preprocessing; of a network whose plan it was stored for."""
    return prepared_case((stored.read_image(), stored.read_label(), stored.properties))


def prepared_case(prepared: Preprocessed, notes: tuple[str, ...] = ()) -> Case:
    """What preprocessing made of an image and its label, with what is to be told of the files behind it."""
    values, labels, properties = prepared
    box = IntensityBox.per_channel(properties.box_lower, properties.box_upper)
    return Case(
        case_id=properties.case_id,
        # Stored intensities were clipped in another precision than the box is compared in.
        inputs=torch.from_numpy(values)[None].clamp_(box.lower, box.upper),
        targets=None if labels is None else torch.from_numpy(labels.astype(np.int64))[None],
        box=box,
        raw_width=tuple(upper - lower for lower, upper in zip(properties.raw_lower, properties.raw_upper, strict=True)),
        spacing=network_spacing(properties),
        axes=network_axes(properties),
        properties=properties,
        notes=(*notes, *properties.notes),
    )
