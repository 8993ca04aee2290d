"""The two units that ROG is built of, and upsampling."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from rogseg.models.kernels import instance_norm, swish_conv_norm

__all__ = ["InstanceNorm", "PointwiseUnit", "SeparableUnit", "Stride", "upsample"]

Stride = tuple[int, int, int]
ONES: Stride = (1, 1, 1)


class InstanceNorm(nn.InstanceNorm3d):
    """Instance normalisation with affine parameters, known as a norm to what treats norms apart, such as optimisers.

    Args:
        num_channels: C.
    """

    def __init__(self, num_channels: int) -> None:
        super().__init__(num_channels, affine=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> same shape."""
        return instance_norm(inputs, self.weight, self.bias, self.eps)


class SeparableUnit(nn.Module):
    """Swish, depthwise 3x3x3 convolution with the stride, pointwise 1x1x1 convolution, norm; no biases.

    Args:
        in_channels: C.
        out_channels: C'.
        stride: of the depthwise convolution.
        swish: without it, the unit starts at the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Stride = ONES, swish: bool = True) -> None:
        super().__init__()
        self.depthwise = nn.Conv3d(in_channels, in_channels, 3, groups=in_channels, bias=False)
        self.pointwise = nn.Conv3d(in_channels, out_channels, 1, bias=False)
        self.norm = InstanceNorm(out_channels)
        self.stride, self.swish = stride, swish

    def forward(self, inputs: Tensor, residual: Tensor | None = None) -> Tensor:
        """(B, C, D, H, W) -> (B, C', D/s, H/s, W/s), the residual added where given."""
        return swish_conv_norm(
            inputs,
            self.depthwise.weight,
            self.pointwise.weight,
            self.norm.weight,
            self.norm.bias,
            residual=residual,
            swish=self.swish,
            stride=self.stride,
            eps=self.norm.eps,
        )


class PointwiseUnit(nn.Module):
    """Swish, pointwise 1x1x1 convolution with the stride, norm; no bias.

    Args:
        in_channels: C.
        out_channels: C'.
        stride: of the convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: Stride = ONES) -> None:
        super().__init__()
        self.pointwise = nn.Conv3d(in_channels, out_channels, 1, bias=False)
        self.norm = InstanceNorm(out_channels)
        self.stride = stride

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, C', D/s, H/s, W/s)."""
        return swish_conv_norm(
            inputs,
            None,
            self.pointwise.weight,
            self.norm.weight,
            self.norm.bias,
            swish=True,
            stride=self.stride,
            eps=self.norm.eps,
        )


def upsample(inputs: Tensor, size: Sequence[int]) -> Tensor:
    """Trilinear interpolation to a grid, corners aligned."""
    if tuple(inputs.shape[2:]) == tuple(size):
        return inputs
    return functional.interpolate(inputs, size=tuple(size), mode="trilinear", align_corners=True)
