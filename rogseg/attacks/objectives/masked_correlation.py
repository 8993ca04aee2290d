"""Correlation between the logits of a whole case and the truth, where the attack has not won yet."""

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.attacks.objectives.base import Objective
from rogseg.attacks.objectives.cross_entropy import CrossEntropy
from rogseg.attacks.objectives.scale_free import ScaleFree
from rogseg.registry import OBJECTIVES

__all__ = ["MaskedCorrelation"]


@OBJECTIVES.register_module()
class MaskedCorrelation(Objective):
    """Minus the normalised correlation of logits and one-hot truth over the voxels that are still right.

    Both are centred over the classes of a voxel; the sums go over classes and voxels, so voxels compete by how certain
    they are, and the value does not depend on the logits' scale. Iterates are compared by scale-free cross-entropy,
    since a voxel that is lost leaves the sums.

    Source: Halmosi, Mohos and Jelasity 2024 (Robust-Segmentation-Evaluation), APGD on a masked, normalised correlation.
    Deviation: normalised over the case instead of voxel by voxel, which for two classes would be constant.
    """

    @property
    def ruler(self) -> Objective:
        """Scale-free cross-entropy."""
        return ScaleFree(CrossEntropy())

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,), in [-1, 1]."""
        right = (logits.detach().argmax(dim=1) == targets)[:, None].to(logits.dtype)
        truth = F.one_hot(targets, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
        logits = right * (logits - logits.mean(dim=1, keepdim=True))
        truth = right * (truth - truth.mean(dim=1, keepdim=True))
        tiny = torch.finfo(logits.dtype).tiny
        norms = [values.square().flatten(1).sum(1).clamp(min=tiny).sqrt() for values in (logits, truth)]
        return -(logits * truth).flatten(1).sum(1) / (norms[0] * norms[1])
