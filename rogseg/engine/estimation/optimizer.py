"""Optimizer and precision of a config, built outside of a Runner."""

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

__all__ = ["optim_wrapper_of"]


def optim_wrapper_of(model: nn.Module, config: Mapping[str, Any]) -> OptimWrapper:
    """Build what stands under ``optim_wrapper`` for a model, on the model's device.

    Raises:
        ValueError: its precision needs another device.
    """
    # MMEngine looks for this project's classes only inside their scope.
    with DefaultScope.overwrite_default_scope("rogseg"):
        wrapper = build_optim_wrapper(model, dict(config))
    # Without a count of what is to come, gradient accumulation warns.
    wrapper.initialize_count_status(model, 0, wrapper._accumulative_counts)
    return wrapper
