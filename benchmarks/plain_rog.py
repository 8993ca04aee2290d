"""ROG written plainly, as the yardstick: nn.Conv3d, nn.InstanceNorm3d, x * sigmoid(x), default memory format.

Modules are created in the order of ``rogseg``'s ROG, so that ``copy_parameters`` is a walk over both.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["PlainROG", "copy_parameters"]

Stride = tuple[int, int, int]


class Swish(nn.Module):
    """``x * sigmoid(x)``."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs * torch.sigmoid(inputs)


def separable(in_channels: int, out_channels: int, stride: Stride = (1, 1, 1)) -> list[nn.Module]:
    """Depthwise, pointwise, norm."""
    return [
        nn.Conv3d(in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels, bias=False),
        nn.Conv3d(in_channels, out_channels, 1, bias=False),
        nn.InstanceNorm3d(out_channels, affine=True),
    ]


class Residual(nn.Module):
    """A node of the lattice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = [Swish(), *separable(channels, channels), Swish(), *separable(channels, channels)]
        self.layers = nn.Sequential(*layers)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.layers(inputs)


def step(in_channels: int, out_channels: int, stride: Stride = (1, 1, 1)) -> nn.Sequential:
    """Swish, pointwise convolution, norm."""
    convolution = nn.Conv3d(in_channels, out_channels, 1, stride=stride, bias=False)
    return nn.Sequential(Swish(), convolution, nn.InstanceNorm3d(out_channels, affine=True))


class PlainROG(nn.Module):
    """The whole network with L = 2: nine columns, written out."""

    def __init__(self, in_channels: int, num_classes: int, strides: Sequence[Stride]) -> None:
        super().__init__()
        self.strides = strides
        self.stem_fine = nn.Sequential(*separable(in_channels, 32), Swish(), *separable(32, 32, strides[0]), Swish())
        self.stem_coarse = nn.Sequential(*separable(32, 32), Swish(), *separable(32, 64, strides[1]))
        widths, steps = (64, 128, 256, 512), (strides[2], (2, 2, 2), (2, 2, 2))
        columns = ((0,), (1,), (0, 2), (1, 3), (0, 2), (1, 3), (0, 2), (1,), (0,))
        self.columns = columns
        self.nodes, self.ups, self.downs = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for column, levels in enumerate(columns):
            following = columns[column + 1] if column < 8 else ()
            for level in levels:
                key = f"{level}{column}"
                self.nodes[key] = Residual(widths[level])
                if level - 1 in following:
                    self.ups[key] = step(widths[level], widths[level - 1])
                if level + 1 in following:
                    self.downs[key] = step(widths[level], widths[level + 1], steps[level])
        self.up = step(64, 32)
        self.swish = Swish()
        self.head = nn.Sequential(nn.Conv3d(32, 32, 3, padding=1, bias=False), nn.InstanceNorm3d(32, affine=True))
        self.classifier = nn.Conv3d(32, num_classes, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits."""
        fine = self.stem_fine(inputs)
        waiting: dict[str, Tensor] = {"00": self.stem_coarse(fine)}
        grids: dict[int, torch.Size] = {}
        out = inputs
        for column, levels in enumerate(self.columns):
            for level in levels:
                key = f"{level}{column}"
                total = waiting.pop(key)
                grids.setdefault(level, total.shape[2:])
                out = self.nodes[key](total)
                sent = {(level, column + 2): out} if column < 7 and level in self.columns[column + 2] else {}
                if key in self.ups:
                    sent[level - 1, column + 1] = resize(self.ups[key](out), grids[level - 1])
                if key in self.downs:
                    sent[level + 1, column + 1] = self.downs[key](out)
                for (to_level, to_column), value in sent.items():
                    name = f"{to_level}{to_column}"
                    waiting[name] = waiting[name] + value if name in waiting else value
        merged = resize(self.up(out), fine.shape[2:]) + fine
        hidden = self.head(self.swish(merged))
        if any(factor != 1 for factor in self.strides[0]):
            hidden = resize(hidden, inputs.shape[2:])
        logits: Tensor = self.classifier(self.swish(hidden))
        return logits


def resize(inputs: Tensor, size: Sequence[int]) -> Tensor:
    """Trilinear interpolation, corners aligned."""
    if tuple(inputs.shape[2:]) == tuple(size):
        return inputs
    return nn.functional.interpolate(inputs, size=tuple(size), mode="trilinear", align_corners=True)


def copy_parameters(source: nn.Module, target: nn.Module) -> None:
    """Give the target the parameters of the source, in order."""
    pairs = list(zip(source.parameters(), target.parameters(), strict=True))
    with torch.no_grad():
        for given, taken in pairs:
            if given.shape != taken.shape:
                raise ValueError(f"the networks differ: {tuple(given.shape)} against {tuple(taken.shape)}")
            taken.copy_(given)
