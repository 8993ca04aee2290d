"""PlanarUNet: the two-dimensional U-Net of MPUNet.

Source: Perslev et al. 2019. With one channel and two classes: 62,050,239 trained parameters, and 62,061,277 with the
running statistics of its norms, which is the number that the paper gives.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.registry import BACKBONES

__all__ = ["PlanarUNet"]


@BACKBONES.register_module()
class PlanarUNet(nn.Module):
    """Planes in, logits of planes out.

    Args:
        in_channels: C.
        num_classes: K, the background included.
        width: filters of level i are int(width * 2^i * sqrt 2).
        depth: number of poolings by two.
    """

    def __init__(self, in_channels: int, num_classes: int, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        filters = [int(width * 2**level * 2**0.5) for level in range(depth + 1)]
        self.divisor = 2**depth
        self.encoder = nn.ModuleList(
            _pair(taken, given) for taken, given in zip([in_channels, *filters], filters, strict=False)
        )
        self.raises = nn.ModuleList(nn.Conv2d(filters[i + 1], filters[i], 2) for i in range(depth))
        self.raised_norms = nn.ModuleList(nn.BatchNorm2d(filters[i]) for i in range(depth))
        self.decoder = nn.ModuleList(_pair(2 * filters[i], filters[i]) for i in range(depth))
        self.classifier = nn.Conv2d(filters[0], num_classes, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, C, H, W), H and W multiples of ``2^depth``, -> raw logits (N, K, H, W)."""
        values, skips = inputs, []
        for level, unit in enumerate(self.encoder):
            values = unit(values if level == 0 else functional.max_pool2d(values, 2))
            skips.append(values)
        for level in reversed(range(len(self.decoder))):
            upsampled = functional.interpolate(values, scale_factor=2.0, mode="nearest")
            # A kernel of two keeps the grid by one more row and column at the end.
            raised = functional.relu(self.raises[level](functional.pad(upsampled, (0, 1, 0, 1))))
            values = self.decoder[level](torch.cat([skips[level], self.raised_norms[level](raised)], dim=1))
        return cast(Tensor, self.classifier(values))


def _pair(in_channels: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(channels),
    )
