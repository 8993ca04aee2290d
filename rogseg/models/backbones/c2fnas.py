"""C2FNAS-Panc: the network that a coarse-to-fine search found for the Decathlon.

Source: Yu et al., "C2FNAS: Coarse-to-Fine Neural Architecture Search for 3D Medical Image Segmentation", CVPR 2020,
figure 3 and section 3. No code was published and the text leaves the wiring of a cell and the resampling open. Rebuilt
as below, with one channel and two classes, it has 15.40 M parameters and 157.4 GMAC at 96^3; the paper that compares
with it says 17 M and 150.78, so its figures are not reproduced exactly.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.models.layers import InstanceNorm, upsample
from rogseg.registry import BACKBONES
from rogseg.task_plan import Triple

__all__ = ["C2FNAS"]

KERNELS: dict[str, tuple[Triple, ...]] = {"2D": ((1, 3, 3),), "3D": ((3, 3, 3),), "P3D": ((1, 3, 3), (3, 1, 1))}
ENCODER = (("2D", "P3D"), ("3D", "3D"), ("3D",), ("2D",))
DECODER = (("3D", "2D", "3D"), ("P3D",), ("3D", "3D"))


@BACKBONES.register_module()
class C2FNAS(nn.Module):
    """Gives one feature map, (B, stem_channels, D, H, W), at full resolution.

    Level 0 has half the resolution of the input, each further level half of that and twice the channels.

    Args:
        in_channels: C.
        stem_channels: at full resolution; level 0 has twice as many.
        encoder: operations of the cells of each level, the finest first: 2D, 3D or P3D.
        decoder: the same of every level but the coarsest, the finest first.
    """

    def __init__(
        self,
        in_channels: int,
        stem_channels: int = 32,
        encoder: Sequence[Sequence[str]] = ENCODER,
        decoder: Sequence[Sequence[str]] = DECODER,
    ) -> None:
        super().__init__()
        if len(encoder) != len(decoder) + 1:
            raise ValueError(
                f"the encoder has {len(encoder)} levels and the decoder {len(decoder)}: it has one level less"
            )
        channels = [2 * stem_channels << level for level in range(len(encoder))]
        self.stem = _convolution(in_channels, stem_channels, (3, 3, 3))
        self.reduce = _convolution(stem_channels, channels[0], (3, 3, 3), stride=2)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(_Cell(channels[level], 1, operation) for operation in operations))
            for level, operations in enumerate(encoder)
        )
        self.meetings = nn.ModuleList(_Cell(channels[level], 2, first) for level, (first, *_) in enumerate(decoder))
        self.decoder = nn.ModuleList(
            nn.Sequential(*(_Cell(channels[level], 1, operation) for operation in others))
            for level, (_, *others) in enumerate(decoder)
        )
        self.downs = nn.ModuleList(
            _convolution(fine, coarse, (3, 3, 3), stride=2) for fine, coarse in itertools.pairwise(channels)
        )
        self.raises = nn.ModuleList(
            _convolution(coarse, fine, (1, 1, 1)) for fine, coarse in itertools.pairwise(channels)
        )
        self.join = _convolution(2 * channels[0], channels[0], (3, 3, 3))
        self.last = _convolution(channels[0], stem_channels, (3, 3, 3))

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        """(B, C, D, H, W) -> the features (B, stem_channels, D, H, W), as the one that the head takes."""
        reduced = self.reduce(functional.relu(self.stem(inputs)))
        values, skips = reduced, []
        for level, cells in enumerate(self.encoder):
            if level > 0:
                values = self.downs[level - 1](functional.relu(values))
            values = cells(values)
            skips.append(values)
        for level in reversed(range(len(self.decoder))):
            raised = self.raises[level](functional.relu(upsample(values, skips[level].shape[2:])))
            values = self.decoder[level](self.meetings[level](raised, skips[level]))
        joined = self.join(functional.relu(torch.cat([values, reduced], dim=1)))
        return (functional.relu(self.last(functional.relu(upsample(joined, inputs.shape[2:])))),)


class _Cell(nn.Module):
    """The sum of its inputs' 1x1x1 convolutions, ReLU, the operation, norm, and a 1x1x1 convolution."""

    def __init__(self, channels: int, num_inputs: int, operation: str) -> None:
        super().__init__()
        if operation not in KERNELS:
            raise ValueError(f"a cell's operation is {operation!r}, known are {', '.join(KERNELS)}")
        self.enter = nn.ModuleList(nn.Conv3d(channels, channels, 1) for _ in range(num_inputs))
        self.operation = nn.Sequential(*(_same_size(channels, channels, kernel) for kernel in KERNELS[operation]))
        self.norm = InstanceNorm(channels)
        self.leave = nn.Conv3d(channels, channels, 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        entered = torch.stack([enter(given) for enter, given in zip(self.enter, inputs, strict=True)]).sum(0)
        left: Tensor = self.leave(self.norm(self.operation(functional.relu(entered))))
        return left


def _convolution(in_channels: int, out_channels: int, kernel: Triple, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_same_size(in_channels, out_channels, kernel, stride), InstanceNorm(out_channels))


def _same_size(in_channels: int, out_channels: int, kernel: Triple, stride: int = 1) -> nn.Conv3d:
    """A convolution without bias, a norm follows, that keeps the grid but for its stride."""
    depth, height, width = kernel
    padding = (depth // 2, height // 2, width // 2)
    return nn.Conv3d(in_channels, out_channels, kernel, stride, padding, bias=False)
