"""Connected lesions of a batch of targets."""

import cc3d
import numpy as np
import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

__all__ = ["found_share", "lesion_labels"]

# An attack asks for the lesions of the same targets in every pass; they live as long as the targets do.
_KNOWN: WeakIdKeyDictionary = WeakIdKeyDictionary()


def lesion_labels(targets: Tensor, index: int) -> Tensor:
    """Number of the lesion that each voxel belongs to, from 1 on in each case; 0 elsewhere.

    A lesion is a connected component of one class, with 26 neighbours.

    Args:
        targets: (B, D, H, W) class indices, not to be changed in place afterwards.
        index: the class.

    Returns:
        (B, D, H, W) int64 on the device of the targets.
    """
    if targets not in _KNOWN:
        _KNOWN[targets] = {}
    known: dict[int, Tensor] = _KNOWN[targets]
    if index not in known:
        masks = (targets == index).cpu().numpy()
        labels = np.stack([cc3d.connected_components(mask, connectivity=26) for mask in masks])
        known[index] = torch.from_numpy(labels.astype(np.int64)).to(targets.device)
    return known[index]


def found_share(prediction: Tensor, targets: Tensor, index: int) -> list[Tensor]:
    """Share of each lesion's voxels that are predicted as its class: a tensor (number of lesions,) for each case."""
    labels = lesion_labels(targets, index)
    shares = []
    for lesions, found in zip(labels, prediction == index, strict=True):
        number = int(lesions.max())
        sizes = torch.bincount(lesions.flatten(), minlength=number + 1)[1:]
        hits = torch.bincount(lesions[found], minlength=number + 1)[1:]
        shares.append(hits / sizes)
    return shares
