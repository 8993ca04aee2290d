"""The layers that ROG is built of: separable convolution, normalisation with swish, upsampling."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["InstanceNorm", "SeparableConv", "upsample"]


class SeparableConv(nn.Module):
    """Depthwise 3x3x3 convolution, with the stride, followed by a pointwise 1x1x1 one; no biases."""

    def __init__(self, in_channels: int, out_channels: int, stride: tuple[int, int, int] = (1, 1, 1)) -> None:
        super().__init__()
        self.depthwise = nn.Conv3d(
            in_channels, in_channels, 3, stride=stride, padding=1, groups=in_channels, bias=False
        )
        self.pointwise = nn.Conv3d(in_channels, out_channels, 1, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, in, D, H, W) -> (B, out, D/s, H/s, W/s)."""
        out: Tensor = self.pointwise(self.depthwise(inputs))
        return out


class InstanceNorm(nn.InstanceNorm3d):
    """Instance normalisation with affine parameters, optionally followed by swish."""

    def __init__(self, num_channels: int, swish: bool = False) -> None:
        super().__init__(num_channels, affine=True)
        self.swish = swish

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, D, H, W) -> same shape."""
        normalised = super().forward(input)
        return functional.silu(normalised) if self.swish else normalised


def upsample(inputs: Tensor, size: Sequence[int]) -> Tensor:
    """Trilinear interpolation to a grid, corners aligned."""
    if tuple(inputs.shape[2:]) == tuple(size):
        return inputs
    return functional.interpolate(inputs, size=tuple(size), mode="trilinear", align_corners=True)
