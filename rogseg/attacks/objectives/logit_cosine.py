"""Cosine between the logits and the truth."""

from torch import Tensor

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["LogitCosine"]


@OBJECTIVES.register_module()
class LogitCosine(VoxelObjective):
    """One minus the cosine between a voxel's logits and its one-hot truth; does not depend on the logits' scale.

    Source: Halmosi, Mohos and Jelasity 2024 (Robust-Segmentation-Evaluation), PAdam-Cos. Deviation: the logits are
    centred first, so that adding a constant to all of them, which changes no label, changes nothing here either.
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W), in [0, 2]."""
        centred = logits - logits.mean(dim=1, keepdim=True)
        norm = centred.square().sum(dim=1).clamp(min=1e-30).sqrt()
        return 1 - centred.gather(1, targets[:, None])[:, 0] / norm
