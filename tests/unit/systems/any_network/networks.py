"""Small networks, the settings of a system around them, and raw cases for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from torch import Tensor, nn

from rogseg.storage import RawCase

INPUTS: dict[str, Any] = {"channels": ["MR"], "intensity": [{"type": "NormalizeIntensity"}]}
WINDOWS: dict[str, Any] = {"size": [8, 8, 8]}
OUTPUTS: dict[str, Any] = {"classes": ["organ", "lesion"]}


class TinyNetwork(nn.Module):
    """Two convolutions; ``form`` says what it gives."""

    def __init__(self, in_channels: int = 1, out_channels: int = 3, form: str = "logits") -> None:
        super().__init__()
        self.first = nn.Conv3d(in_channels, 4, 3, padding=1)
        self.last = nn.Conv3d(4, out_channels, 1)
        self.form = form

    def forward(self, inputs: Tensor) -> Any:
        logits = self.last(torch.nn.functional.softplus(self.first(inputs)))
        if self.form == "softmax":
            return logits.softmax(1)
        if self.form == "sigmoid":
            return logits.sigmoid()
        if self.form == "tuple":
            return logits[..., ::2, ::2, ::2], logits
        if self.form == "dict":
            return {"aux": "nothing", "out": logits}
        return logits.movedim(1, -1) if self.form == "last" else logits


class HalvingNetwork(TinyNetwork):
    """Adds what it finds on a grid of half the size, so that it takes even lengths alone."""

    def forward(self, inputs: Tensor) -> Any:
        features = torch.nn.functional.softplus(self.first(inputs))
        coarse = self.last(torch.nn.functional.avg_pool3d(features, 2))
        return self.last(features) + coarse.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)


class LossInTraining(TinyNetwork):
    """Gives a loss of its own beside the logits when it is trained."""

    def forward(self, inputs: Tensor) -> Any:
        logits = super().forward(inputs)
        return (logits, logits.square().mean()) if self.training else logits


def seeded(seed: int = 0, **arguments: Any) -> TinyNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = TinyNetwork(**arguments)
        for parameter in network.parameters():
            parameter.data *= 3
    return network


def write_case(
    directory: Path,
    shape: tuple[int, int, int] = (13, 11, 10),
    *,
    channels: int = 1,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    labels: Sequence[int] = (0, 1, 2),
    zero_border: int = 0,
    flip: bool = False,
) -> RawCase:
    """One file per channel and a label whose value grows with the image's."""
    generator = np.random.default_rng(0)
    directory.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-1.0 if flip else 1.0, 1.0, 1.0, 1.0]) @ np.diag([*spacing, 1.0])
    affine[:3, 3] = (5.0, -7.0, 2.0)
    label = generator.choice(np.array(labels, dtype=np.uint8), shape)
    images = []
    for channel in range(channels):
        image = generator.normal(50, 20, shape).astype(np.float32) + 30 * label
        if zero_border:
            inner = tuple(slice(zero_border, length - zero_border) for length in shape)
            kept = np.zeros(shape, dtype=bool)
            kept[inner] = True
            image = np.where(kept, image, 0).astype(np.float32)
        images.append(directory / f"case_{channel:04d}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(image, affine), images[-1])
    nibabel.save(nibabel.Nifti1Image(label, affine), directory / "case.nii.gz")
    return RawCase("case", tuple(images), directory / "case.nii.gz")
