"""Cosine between the logits and the truth."""

from torch import Tensor

from rogseg.attacks.objectives.base import VoxelObjective
from rogseg.registry import OBJECTIVES

__all__ = ["LogitCosine"]


@OBJECTIVES.register_module()
class LogitCosine(VoxelObjective):
    """One minus the cosine between a voxel's logits and its one-hot truth; does not depend on the logits' scale.

    The cosine of two centred logits is plus or minus the root of a half, whatever they are, and has no gradient. So
    with two classes a voxel's logits are divided by the root mean square of the case's norms, not by their own; the
    mean over voxels is then the cosine between the logits and the truth of the whole case, times that root.

    Source: Halmosi, Mohos and Jelasity 2024 (Robust-Segmentation-Evaluation), PAdam-Cos. Deviations: the logits are
    centred first, so that adding a constant to all of them, which changes no label, changes nothing here either; two
    classes are normalised over the case.
    """

    def per_voxel(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W), (B, D, H, W) -> (B, D, H, W); in [0, 2], for two classes on average over a case."""
        centred = logits - logits.mean(dim=1, keepdim=True)
        square = centred.square().sum(dim=1)
        if logits.shape[1] == 2:
            square = square.mean(dim=(1, 2, 3), keepdim=True)
        return 1 - centred.gather(1, targets[:, None])[:, 0] / square.clamp(min=1e-30).sqrt()
