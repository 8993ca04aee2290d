"""What a dataset yields for one case, and how samples become a mini-batch."""

from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor

__all__ = ["Minibatch", "Sample", "collate"]


class Sample(TypedDict):
    """One patch or volume.

    inputs: (C, D, H, W) float32 [network units]; targets: (D, H, W) uint8 class indices; inside: (1, D, H, W) bool,
    voxels of the case, where the others are padding; box_lower, box_upper: (C, 1, 1, 1) float32 [network units];
    case_id: name of the case.
    """

    inputs: Tensor
    targets: Tensor
    inside: Tensor
    box_lower: Tensor
    box_upper: Tensor
    case_id: str


class Minibatch(TypedDict):
    """Samples stacked: targets as int64, the rest as in `Sample` with a leading axis B."""

    inputs: Tensor
    targets: Tensor
    inside: Tensor
    box_lower: Tensor
    box_upper: Tensor
    case_ids: list[str]


def collate(samples: Sequence[Sample]) -> Minibatch:
    """Stack samples of one shape.

    Raises:
        ValueError: the shapes differ; the message names the cases.
    """
    shapes = {sample["case_id"]: tuple(sample["inputs"].shape) for sample in samples}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"samples of different shapes cannot be one mini-batch: {shapes}; use batch_size 1")
    return {
        "inputs": torch.stack([sample["inputs"] for sample in samples]),
        "targets": torch.stack([sample["targets"] for sample in samples]).long(),
        "inside": torch.stack([sample["inside"] for sample in samples]),
        "box_lower": torch.stack([sample["box_lower"] for sample in samples]),
        "box_upper": torch.stack([sample["box_upper"] for sample in samples]),
        "case_ids": [sample["case_id"] for sample in samples],
    }
