"""The plain and the residual encoder U-Net of nnU-Net, as deep and as wide as its rules make them for a task.

Source: Isensee et al., "nnU-Net", Nature Methods 2021, and "nnU-Net Revisited", MICCAI 2024; the networks are those of
``dynamic-network-architectures``, which comes with the extra ``rogseg[nnunet]``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from rogseg.models.backbones.unet_planning import UNetTopology, plan_topology
from rogseg.registry import BACKBONES

__all__ = ["PlainConvUNet", "ResidualEncoderUNet"]

RESIDUAL_BLOCKS = (1, 3, 4, *[6] * 12)  # of each stage of the residual encoder


class PlannedUNet(nn.Module, ABC):
    """A U-Net that gives logits (B, K, d, h, w) of every decoder stage, the finest first.

    Its class in ``dynamic_network_architectures`` has the same name.

    Args:
        in_channels: C.
        num_classes: K, the background included.
        patch_size: of the training [voxels], which with `spacing` decides depth and strides.
        spacing: [mm].

    Raises:
        ValueError: the extra is not installed, or the patch is too small.
    """

    def __init__(self, in_channels: int, num_classes: int, patch_size: Sequence[int], spacing: Sequence[float]) -> None:
        topology, kind = _planned(patch_size, spacing), type(self).__name__
        super().__init__()
        try:
            from dynamic_network_architectures.architectures import unet
        except ImportError as error:
            raise ValueError(
                f"model.backbone {kind}: needs dynamic-network-architectures, which is not installed: pip install "
                "'rogseg[nnunet]'"
            ) from error
        self.topology = topology
        self.network: nn.Module = getattr(unet, kind)(
            input_channels=in_channels,
            num_classes=num_classes,
            n_stages=len(topology.strides),
            features_per_stage=list(topology.features),
            conv_op=nn.Conv3d,
            kernel_sizes=[list(kernel) for kernel in topology.kernels],
            strides=[list(stride) for stride in topology.strides],
            conv_bias=True,
            norm_op=nn.InstanceNorm3d,
            norm_op_kwargs={"eps": 1e-5, "affine": True},
            nonlin=nn.LeakyReLU,
            nonlin_kwargs={"inplace": True},
            deep_supervision=True,
            **self.repeats(len(topology.strides)),
        )
        self.network.apply(self.network.initialize)
        heads: Any = self.network.decoder.seg_layers
        if len(heads) > 1:  # the coarsest weighs nothing (`halving_weights`), and processes would wait for its gradient
            heads[0].requires_grad_(False)

    @staticmethod
    @abstractmethod
    def repeats(stages: int) -> dict[str, list[int]]:
        """How often a stage's unit is repeated, under the names that the class has for it."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(B, C, D, H, W) -> raw logits (B, K, d, h, w) of each stage of the decoder, the finest first.

        Raises:
            ValueError: the strides do not divide the grid.
        """
        divisor = self.topology.divisor
        if any(length % factor for length, factor in zip(inputs.shape[2:], divisor, strict=True)):
            raise ValueError(
                f"a window of {tuple(inputs.shape[2:])} voxels cannot be halved as the network does: take a "
                f"window_size of whole multiples of {divisor}"
            )
        given: Any = self.network(inputs)
        return tuple(given)


@BACKBONES.register_module()
class PlainConvUNet(PlannedUNet):
    """nnU-Net's U-Net: two convolutions, instance norms and leaky ReLUs in each stage of encoder and decoder."""

    @staticmethod
    def repeats(stages: int) -> dict[str, list[int]]:
        """Two of each."""
        return {"n_conv_per_stage": [2] * stages, "n_conv_per_stage_decoder": [2] * (stages - 1)}


@BACKBONES.register_module()
class ResidualEncoderUNet(PlannedUNet):
    """nnU-Net's U-Net with a deep residual encoder and one convolution in each stage of the decoder."""

    @staticmethod
    def repeats(stages: int) -> dict[str, list[int]]:
        """More the deeper, and one in the decoder."""
        return {
            "n_blocks_per_stage": list(RESIDUAL_BLOCKS[:stages]),
            "n_conv_per_stage_decoder": [1] * (stages - 1),
        }


def _planned(patch_size: Sequence[int], spacing: Sequence[float]) -> UNetTopology:
    topology = plan_topology(patch_size, spacing)
    if len(topology.strides) < 2:
        raise ValueError(
            f"model.backbone: patch_size {list(patch_size)} is too small for a U-Net; give an even length of 12 voxels "
            "or more along at least one axis"
        )
    return topology
