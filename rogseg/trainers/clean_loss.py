"""The loss on clean inputs, looked at now and then during adversarial training."""

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rogseg.attacks.model_state import evaluation_mode
from rogseg.cases import Batch
from rogseg.trainers.base import total_loss

__all__ = ["clean_loss", "unwrapped"]


def unwrapped(model: nn.Module) -> nn.Module:
    """The segmentor inside a distributed wrapper, or the segmentor itself."""
    if isinstance(model, DistributedDataParallel):
        module: nn.Module = model.module
        return module
    return model


@torch.no_grad()
def clean_loss(model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> Tensor:
    """The loss of a mini-batch as it is, a scalar; in evaluation mode, so that it leaves no trace on training."""
    module = unwrapped(model)
    with evaluation_mode(module), optim_wrapper.optim_context(module):
        loss, _ = total_loss(module(batch.inputs, batch.targets, mode="loss"))
    return loss
