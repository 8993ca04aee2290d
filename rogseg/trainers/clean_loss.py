"""The loss on clean inputs, looked at now and then during adversarial training."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rogseg.cases import Batch
from rogseg.trainers.base import total_loss

__all__ = ["clean_loss", "evaluation_mode", "unwrapped"]


def unwrapped(model: nn.Module) -> nn.Module:
    """The segmentor inside a distributed wrapper, or the segmentor itself."""
    if isinstance(model, DistributedDataParallel):
        module: nn.Module = model.module
        return module
    return model


@contextmanager
def evaluation_mode(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, every submodule's own mode afterwards.

    No dropout draws random numbers and no running statistic moves, so what happens inside leaves no trace on training.
    """
    modes = [(submodule, submodule.training) for submodule in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for submodule, training in modes:
            submodule.training = training


@torch.no_grad()
def clean_loss(model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> Tensor:
    """The loss of a mini-batch as it is, without trace on training: a scalar."""
    module = unwrapped(model)
    with evaluation_mode(module), optim_wrapper.optim_context(module):
        loss, _ = total_loss(module(batch.inputs, batch.targets, mode="loss"))
    return loss
