"""DeepSupervisionHead: logits from several features of one grid, each trained, their mean the network's answer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rogseg.models.heads.checked_channels import check_channels
from rogseg.registry import HEADS

__all__ = ["DeepSupervisionHead"]


@HEADS.register_module()
class DeepSupervisionHead(nn.Module):
    """A 1x1x1 convolution for each of several features.

    Args:
        num_classes: K, the background included.
        channels: of each of the features.
        num_outputs: how many features the backbone gives.

    Source: Zhou et al. 2018, section 2.3: the heads are trained together, and averaged in the accurate mode.
    """

    def __init__(self, num_classes: int, channels: int = 32, num_outputs: int = 4) -> None:
        super().__init__()
        self.channels = channels
        self.classifiers = nn.ModuleList(nn.Conv3d(channels, num_classes, 1) for _ in range(num_outputs))

    def supervised(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The logits (B, K, D, H, W) of every head, each of which is trained.

        Raises:
            ValueError: the backbone gives another number of features, or features of other channels.
        """
        if len(features) != len(self.classifiers):
            raise ValueError(f"model.head.num_outputs is {len(self.classifiers)}, model.backbone gives {len(features)}")
        for part in features:
            check_channels(part, self.channels)
        return tuple(classify(part) for classify, part in zip(self.classifiers, features, strict=True))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features (B, channels, D, H, W) -> the mean of the heads' raw logits (B, K, D, H, W)."""
        return torch.stack(self.supervised(features)).mean(0)
