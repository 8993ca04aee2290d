"""MultiPlanarSegmentor: MPUNet behind the interface of every other network, so that it is trained and attacked alike.

Source: Perslev et al. 2019. Deviations: augmentation is that of the data pipeline; planes are trained on a patch
instead of a whole volume; the fusion is trained on training cases, so that no reported case has a part in it; further
those of `rogseg.models.multi_planar.views`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rogseg.models.multi_planar.views import (
    orthonormal_basis,
    sample_planes,
    to_voxels,
    view_vectors,
    voxel_offsets,
)
from rogseg.models.segmentor import SegmentationModel
from rogseg.registry import BACKBONES, LOSSES, MODELS

__all__ = ["MultiPlanarSegmentor"]

PLANES_AT_ONCE = 16


@MODELS.register_module()
class MultiPlanarSegmentor(SegmentationModel):
    """One planar network sees all views; the fusion adds the views' probabilities, weighted by view and class.

    The logits of class k are ``sum_v W[v, k] p[v, k] + b[k]``, p being a view's probabilities at the voxel.

    Args:
        backbone: config of the BACKBONES registry: (N, C, H, W) -> logits (N, K, H, W).
        num_classes: K, the background included.
        spacing: of the voxels [mm].
        losses: configs of the LOSSES registry.
        trained: ``planes`` trains the planar network on random planes, ``fusion`` the weights W and b alone.
        num_views: up to six.
        view_seed: of the view vectors, which the checkpoint keeps.
        view_noise: standard deviation that is added to a vector in training.
        planes_per_case: of a training step.
        recompute: whether a gradient makes activations again, those of 16 planes at a time, instead of keeping them.
    """

    def __init__(
        self,
        backbone: Mapping[str, Any],
        num_classes: int,
        spacing: Sequence[float],
        losses: Sequence[Mapping[str, Any]] = (),
        trained: Literal["planes", "fusion"] = "planes",
        num_views: int = 6,
        view_seed: int = 0,
        view_noise: float = 0.1,
        planes_per_case: int = 8,
        recompute: bool = True,
    ) -> None:
        super().__init__()
        if trained not in ("planes", "fusion"):
            raise ValueError(f"model.trained is {trained!r}, known are 'planes' and 'fusion'")
        self.planar: nn.Module = BACKBONES.build(dict(backbone))
        self.losses = [LOSSES.build(dict(loss)) for loss in losses]
        self.fusion_weight = nn.Parameter(torch.ones(num_views, num_classes))
        self.fusion_bias = nn.Parameter(torch.zeros(num_classes))
        self.views: Tensor
        self.steps: Tensor
        # Geometry and draws stay on the CPU, also where a network is built for its shapes alone.
        with torch.device("cpu"):
            self.register_buffer("views", view_vectors(num_views, view_seed))
            self.spacing = torch.tensor(tuple(spacing), dtype=torch.float64)
            # Counts what was drawn, so that a resumed training draws what an unbroken one would have drawn.
            self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.step = min(spacing)
        self.trained, self.view_noise, self.planes_per_case = trained, view_noise, planes_per_case
        self.recompute = recompute
        self.planar.requires_grad_(trained == "planes")
        for parameter in (self.fusion_weight, self.fusion_bias):
            parameter.requires_grad_(trained == "fusion")

    def train(self, mode: bool = True) -> "MultiPlanarSegmentor":
        """As a module's; the planar network keeps its statistics while the fusion is trained."""
        super().train(mode)
        if self.trained == "fusion":
            self.planar.eval()
        return self

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> "MultiPlanarSegmentor":
        """As a module's; of a network of shapes alone, which has no values, views and count of draws stay."""
        kept = self.views, self.steps
        super()._apply(fn, recurse)
        if self.views.is_meta:
            self.views, self.steps = kept
        return self

    def terms(self, inputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """The losses of random planes, or of the fused logits."""
        if self.training and self.trained == "planes":
            logits, targets = self._random_planes(inputs, targets)
        else:
            logits = self.logits(inputs)
        return {loss.name: loss(logits.float(), targets) for loss in self.losses}

    def logits(self, inputs: Tensor) -> Tensor:
        """The fused ones."""
        spacing, step = self.spacing, self.step
        offsets = voxel_offsets(inputs, spacing)
        logits = self.fusion_bias[:, None, None, None].expand(inputs.shape[0], -1, *inputs.shape[2:])
        for vector, weight in zip(self.views.cpu(), self.fusion_weight, strict=True):
            basis = orthonormal_basis(vector)
            planes = sample_planes(inputs, basis, spacing, step)
            probabilities = torch.cat(
                [self._probabilities(part) for part in torch.split(planes, PLANES_AT_ONCE, dim=2)], dim=2
            )
            voxels = to_voxels(probabilities, basis, step, offsets)
            logits = logits + weight[:, None, None, None] * voxels
        return logits

    def _probabilities(self, planes: Tensor) -> Tensor:
        """(B, C, planes, H, W) -> (B, K, planes, H, W)."""
        if self.recompute and torch.is_grad_enabled():
            made: Tensor = checkpoint(self._planar_logits, planes, use_reentrant=False)
        else:
            made = self._planar_logits(planes)
        return made.float().softmax(dim=1)

    def _planar_logits(self, planes: Tensor) -> Tensor:
        batch, _, number = planes.shape[:3]
        logits: Tensor = self.planar(planes.transpose(1, 2).flatten(0, 1))
        return logits.reshape(batch, number, *logits.shape[1:]).transpose(1, 2)

    def _random_planes(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, K, planes, H, W) and class indices of planes along one random view, half through foreground."""
        spacing, step = self.spacing, self.step
        # A training seeds torch anew for each epoch and process, and a resumed one as an unbroken one.
        words = np.random.SeedSequence([torch.initial_seed(), int(self.steps)]).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(words[0]) >> 1)
        self.steps += 1
        vector = self.views[torch.randint(len(self.views), (1,), generator=generator)[0]].cpu()
        noise = torch.randn(3, dtype=vector.dtype, generator=generator)
        basis = orthonormal_basis(vector + self.view_noise * noise)
        # Planes are shared by the cases of a batch, so foreground of any of them counts.
        offsets = voxel_offsets(inputs, spacing)
        reach = offsets.reshape(-1, 3) @ basis[2]
        is_foreground = (targets > 0).any(dim=0)
        foreground = reach[:0] if targets.is_meta else offsets[is_foreground.cpu()] @ basis[2]  # of shapes alone, none
        depths = (
            2 * torch.rand(self.planes_per_case, dtype=spacing.dtype, generator=generator) - 1
        ) * reach.abs().max()
        if len(foreground):
            half = self.planes_per_case // 2
            depths[:half] = foreground[torch.randint(len(foreground), (half,), generator=generator)]
        labels = sample_planes(targets[:, None].to(inputs.dtype), basis, spacing, step, depths, mode="nearest")
        planes = sample_planes(inputs, basis, spacing, step, depths)
        return self._planar_logits(planes), labels[:, 0].round().long()
