"""ROG: the lattice network of the paper, between a stem that goes down and a merge with the stem's fine features.

Source: Daza, Perez, Arbelaez, "Towards Robust General Medical Image Segmentation", MICCAI 2021, section 2.2, figure 2.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from rogseg.models.layers import PointwiseUnit, SeparableUnit, Stride, upsample
from rogseg.registry import BACKBONES

__all__ = ["ROG"]

NUM_LEVELS = 4


@BACKBONES.register_module()
class ROG(nn.Module):
    """Stem and lattice; gives features on the grid after the stem's first stride.

    Args:
        in_channels: C.
        strides: of the stem's two strided convolutions and of the step between the lattice's levels 0 and 1; deeper
            steps are 2.
        channels: of the stem and the fine features; the lattice's levels have 2, 4, 8 and 16 times as many.
        length: L of the paper, the number of nodes that the deepest level has; the lattice has 7 + 2(L - 1) columns.
    """

    def __init__(self, in_channels: int, strides: Sequence[Stride], channels: int = 32, length: int = 2) -> None:
        super().__init__()
        first, second, step = ((d, h, w) for d, h, w in strides)
        self.stem_fine = nn.Sequential(
            SeparableUnit(in_channels, channels, swish=False),
            SeparableUnit(channels, channels, first),
            nn.SiLU(),
        )
        self.stem_coarse = nn.Sequential(
            SeparableUnit(channels, channels, swish=False),
            SeparableUnit(channels, 2 * channels, second),
        )
        self.lattice = Lattice(2 * channels, step, length)
        self.up = Up(2 * channels)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, channels, D/s, H/s, W/s), s the stem's first stride."""
        fine = self.stem_fine(inputs)
        coarse = self.lattice(self.stem_coarse(fine))
        features: Tensor = self.up(coarse, fine.shape[2:]) + fine
        return features


class Lattice(nn.Module):
    """The triangular lattice: even columns hold levels 0 and 2, odd columns 1 and 3, as far as the triangle reaches.

    Level ``l`` holds the columns ``l, l + 2, ..., last - l``. A node takes what came from its own level two columns
    before and from the levels above and below one column before.
    """

    def __init__(self, channels: int, step: Stride, length: int) -> None:
        super().__init__()
        last = 6 + 2 * (length - 1)
        steps: list[Stride] = [step, *[(2, 2, 2)] * (NUM_LEVELS - 2)]
        self.columns = [
            tuple(level for level in range(NUM_LEVELS) if level <= column <= last - level and (column - level) % 2 == 0)
            for column in range(last + 1)
        ]
        self.nodes, self.ups, self.downs = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for column, levels in enumerate(self.columns):
            for level in levels:
                width, name = channels * 2**level, _name(level, column)
                self.nodes[name] = Node(width)
                if self._has(level - 1, column + 1):
                    self.ups[name] = Up(width)
                if self._has(level + 1, column + 1):
                    self.downs[name] = PointwiseUnit(width, 2 * width, steps[level])

    def _has(self, level: int, column: int) -> bool:
        return column < len(self.columns) and level in self.columns[column]

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, channels, D, H, W) -> same shape."""
        pending: dict[tuple[int, int], list[Tensor]] = {(0, 0): [inputs]}
        grids: dict[int, Sequence[int]] = {}
        out = inputs
        for column, levels in enumerate(self.columns):
            for level in levels:
                name = _name(level, column)
                received = pending.pop((level, column))
                grids.setdefault(level, received[0].shape[2:])
                out = self.nodes[name](received)
                if self._has(level, column + 2):
                    pending.setdefault((level, column + 2), []).append(out)
                if name in self.ups:
                    raised = self.ups[name](out, grids[level - 1])
                    pending.setdefault((level - 1, column + 1), []).append(raised)
                if name in self.downs:
                    pending.setdefault((level + 1, column + 1), []).append(self.downs[name](out))
        return out


class Node(nn.Module):
    """Sums what it receives and adds a residual of twice (swish, separable convolution, norm)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = SeparableUnit(channels, channels)
        self.second = SeparableUnit(channels, channels)

    def forward(self, received: list[Tensor]) -> Tensor:
        """Tensors (B, channels, D, H, W) -> one of the same shape."""
        total = received[0]
        for other in received[1:]:
            total = total + other
        out: Tensor = self.second(self.first(total), residual=total)
        return out


class Up(nn.Module):
    """Swish, 1x1x1 convolution to half the channels, norm, upsampling to the grid of the level above."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.unit = PointwiseUnit(channels, channels // 2)

    def forward(self, inputs: Tensor, size: Sequence[int]) -> Tensor:
        """(B, channels, d, h, w) -> (B, channels // 2, *size)."""
        return upsample(self.unit(inputs), size)


def _name(level: int, column: int) -> str:
    return f"level{level}_column{column}"
