"""ROGHead: from the lattice's fine features to logits on the grid of the inputs."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from rogseg.models.heads.checked_channels import check_channels
from rogseg.models.kernels import pointwise
from rogseg.models.layers import InstanceNorm
from rogseg.registry import HEADS

__all__ = ["ROGHead"]


@HEADS.register_module()
class ROGHead(nn.Module):
    """Swish, 3x3x3 convolution, norm, upsampling by the stem's first stride, swish, 1x1x1 convolution to K classes.

    Args:
        num_classes: K, the background included.
        scale: the stem's first stride.
        channels: of the features.
    """

    def __init__(self, num_classes: int, scale: Sequence[int], channels: int = 32) -> None:
        super().__init__()
        self.scale, self.channels = tuple(scale), channels
        self.convolution = nn.Conv3d(channels, channels, 3, padding=1, bias=False)
        self.norm = InstanceNorm(channels)
        self.classifier = nn.Conv3d(channels, num_classes, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels, D/s, H/s, W/s) -> (B, K, D, H, W) raw logits.

        Raises:
            ValueError: the backbone gives features of other channels.
        """
        check_channels(features, self.channels)
        hidden = self.norm(self.convolution(functional.silu(features)))
        if any(factor != 1 for factor in self.scale):
            size = [length * factor for length, factor in zip(hidden.shape[2:], self.scale, strict=True)]
            hidden = functional.interpolate(hidden, size=size, mode="trilinear", align_corners=True)
        return pointwise(functional.silu(hidden), self.classifier.weight)
