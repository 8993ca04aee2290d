"""UNet++ in three dimensions: a U-Net whose skips are themselves small U-Nets, densely connected.

Source: Zhou et al., "UNet++: A Nested U-Net Architecture for Medical Image Segmentation", DLMIA 2018, in the
three-dimensional form of 26.2 M parameters that Daza et al. 2021 compare with.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from rogseg.registry import BACKBONES

__all__ = ["UNetPlusPlus"]

Norm = Literal["none", "instance", "batch"]
Stride = tuple[int, int, int]


@BACKBONES.register_module()
class UNetPlusPlus(nn.Module):
    """Gives the features of the full-resolution nodes (0, 1), ..., (0, L), the last being the deepest decoder's.

    Node (i, j) takes the nodes (i, 0), ..., (i, j - 1) of its level and node (i + 1, j - 1), brought up by a transposed
    convolution. With one channel, two classes and four heads: 26,198,504 parameters.

    Args:
        in_channels: C.
        filters: of the levels, from the finest on; one more than there are poolings.
        strides: of each pooling; None is 2 along every axis.
        norm: after each convolution; the paper's network has none.
    """

    def __init__(
        self,
        in_channels: int,
        filters: Sequence[int] = (32, 64, 128, 256, 512),
        strides: Sequence[Stride] | None = None,
        norm: Norm = "none",
    ) -> None:
        super().__init__()
        if len(filters) < 2:
            raise ValueError(f"filters is {list(filters)}, a UNet++ has at least two levels")
        depth = len(filters) - 1
        steps: list[Stride] = [(2, 2, 2)] * depth if strides is None else [(d, h, w) for d, h, w in strides]
        if len(steps) != depth:
            raise ValueError(f"{len(steps)} strides for {depth} poolings of {len(filters)} levels: give one for each")
        self.depth = depth
        self.divisor = tuple(math.prod(lengths) for lengths in zip(*steps, strict=True))
        self.pools = nn.ModuleList(nn.MaxPool3d(step, step) for step in steps)
        units, ups = {}, {}
        for level in range(depth + 1):
            channels = in_channels if level == 0 else filters[level - 1]
            units[_name(level, 0)] = _unit(channels, filters[level], norm)
            for column in range(1, depth + 1 - level):
                ups[_name(level, column)] = nn.ConvTranspose3d(
                    filters[level + 1], filters[level], steps[level], steps[level]
                )
                units[_name(level, column)] = _unit((column + 1) * filters[level], filters[level], norm)
        self.units, self.ups = nn.ModuleDict(units), nn.ModuleDict(ups)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(B, C, D, H, W) -> features (B, filters[0], D, H, W) of each full-resolution node, the shallowest first.

        Raises:
            ValueError: the poolings do not divide the grid.
        """
        self._check_grid(inputs)
        nodes: dict[tuple[int, int], Tensor] = {}
        for level in range(self.depth + 1):
            below = inputs if level == 0 else self.pools[level - 1](nodes[level - 1, 0])
            nodes[level, 0] = self.units[_name(level, 0)](below)
        for column in range(1, self.depth + 1):
            for level in range(self.depth + 1 - column):
                name = _name(level, column)
                raised = self.ups[name](nodes[level + 1, column - 1])
                skips = [nodes[level, before] for before in range(column)]
                nodes[level, column] = self.units[name](torch.cat([*skips, raised], dim=1))
        return tuple(nodes[0, column] for column in range(1, self.depth + 1))

    def _check_grid(self, inputs: Tensor) -> None:
        if any(length % product for length, product in zip(inputs.shape[2:], self.divisor, strict=True)):
            raise ValueError(
                f"a window of {tuple(inputs.shape[2:])} voxels cannot be pooled by {self.divisor}: take a patch_size "
                "and window_size of whole multiples, or other strides"
            )


def _name(level: int, column: int) -> str:
    return f"{level}_{column}"


def _unit(in_channels: int, channels: int, norm: Norm) -> nn.Sequential:
    layers: list[nn.Module] = []
    for taken in (in_channels, channels):
        layers.append(nn.Conv3d(taken, channels, 3, padding=1))
        if norm == "instance":
            layers.append(nn.InstanceNorm3d(channels, affine=True))
        elif norm == "batch":
            layers.append(nn.BatchNorm3d(channels))
        elif norm != "none":
            raise ValueError(f"norm is {norm!r}, known are 'none', 'instance' and 'batch'")
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
