"""The one place that decides which kernels run."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.models.kernels.fused_unit import FusedUnit
from rogseg.models.kernels.per_case_norm import PerCaseNorm

__all__ = ["fast_memory_format", "instance_norm", "pointwise", "swish_conv_norm"]


def fast_memory_format(network: nn.Module) -> nn.Module:
    """The same network with its weights in the format in which its device is fast.

    On a CPU that is channels last, for convolutions of volumes and of planes. A GPU keeps the default format: PyTorch
    has a depthwise kernel of its own for it, where cuDNN computes channels last as a grouped convolution.
    """
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weights in network.parameters():
        if weights.device.type == "cpu" and weights.ndim in formats:
            weights.data = weights.data.contiguous(memory_format=formats[weights.ndim])
    return network


def swish_conv_norm(
    inputs: Tensor,
    depthwise: Tensor | None,
    pointwise: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    residual: Tensor | None = None,
    swish: bool,
    stride: Sequence[int],
    eps: float,
) -> Tensor:
    """Instance norm of a convolution of swish(inputs), plus a residual.

    Args:
        inputs: (B, C, D, H, W).
        depthwise: (C, 1, 3, 3, 3), or None for a pointwise convolution alone.
        pointwise: (C', C, 1, 1, 1).
        weight: of the norm, (C',).
        bias: of the norm, (C',).
        residual: added to the result where given, same shape.
        swish: whether swish comes first.
        stride: of the depthwise convolution, or else of the pointwise one.
        eps: of the norm.
    """
    d, h, w = stride
    if _own_kernels(inputs):
        keep = torch.is_grad_enabled()
        arguments = (inputs, depthwise, pointwise, weight, bias, residual, swish, (d, h, w), eps, keep)
        out: Tensor = FusedUnit.apply(*arguments)  # type: ignore[no-untyped-call]
        return out
    if depthwise is None:
        inputs = inputs[:, :, ::d, ::h, ::w]
    hidden = functional.silu(inputs) if swish else inputs
    if depthwise is not None:
        hidden = functional.conv3d(hidden, depthwise, stride=(d, h, w), padding=1, groups=len(depthwise))
    normalised = _group_norm(functional.conv3d(hidden, pointwise), weight, bias, eps)
    return normalised if residual is None else normalised + residual


def instance_norm(inputs: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """(B, C, D, H, W) -> same shape, normalised per case and channel; weight and bias (C,)."""
    if _own_kernels(inputs):
        out: Tensor = PerCaseNorm.apply(inputs, weight, bias, eps)  # type: ignore[no-untyped-call]
        return out
    return _group_norm(inputs, weight, bias, eps)


def pointwise(inputs: Tensor, weight: Tensor) -> Tensor:
    """(B, C, D, H, W), (C', C, 1, 1, 1) -> (B, C', D, H, W)."""
    if _own_kernels(inputs):
        return functional.linear(inputs.permute(0, 2, 3, 4, 1), weight.flatten(1)).permute(0, 4, 1, 2, 3)
    return functional.conv3d(inputs, weight)


def _own_kernels(inputs: Tensor) -> bool:
    """On a CPU in full precision; PyTorch's own kernels serve GPUs, autocast and compilers, where somebody asks."""
    return inputs.device.type == "cpu" and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()


def _group_norm(inputs: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Instance norm as one group a channel: PyTorch's own repeats the weights for each case, in three more kernels."""
    return functional.group_norm(inputs, len(weight), weight, bias, eps)
