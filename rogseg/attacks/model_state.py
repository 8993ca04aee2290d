"""The model left as it was found: which modules a callable runs, their mode and their parameters."""

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from rogseg.cases import LogitFn

__all__ = ["evaluation_mode", "frozen_parameters", "modules_behind"]

# A lambda around a method of a system that holds mirrored copies in a sliding window is eight steps from the network.
MAX_STEPS = 10


def modules_behind(model: LogitFn) -> list[nn.Module]:
    """The modules that a callable runs: itself, or what it holds as attributes, arguments or variables it closes over.

    Nobody attacks a network by itself alone: it stands behind a sliding window, a bound method or a lambda, in a tuple
    of several, or in an object that the lambda asks.
    """
    found: list[nn.Module] = []
    seen: set[int] = set()
    # All of one distance before the next: what is near is not cut off because a long way to it was followed first.
    here: list[Any] = [model]
    for _ in range(MAX_STEPS + 1):
        parts: list[Any] = []
        for value in here:
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, nn.Module):
                found.append(value)
            elif not isinstance(value, type | ModuleType | Tensor):
                parts += _parts(value)
        here = parts
    return found


def _parts(value: Any) -> Iterator[Any]:
    """What something that is no module may call in its turn."""
    if inspect.ismethod(value):
        yield value.__self__
    elif inspect.isfunction(value):
        variables = inspect.getclosurevars(value)
        yield from variables.nonlocals.values()
        yield from variables.globals.values()
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, tuple | list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    else:
        yield from getattr(value, "__dict__", {}).values()


@contextmanager
def evaluation_mode(model: LogitFn) -> Iterator[None]:
    """Put every module behind a model into evaluation mode meanwhile, submodule by submodule.

    In training mode batch norm would learn from adversarial volumes and couple the cases of a batch, and dropout would
    draw another network in each pass.
    """
    training = [module for top in modules_behind(model) for module in top.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def frozen_parameters(model: LogitFn) -> Iterator[None]:
    """Turn the gradients of the parameters behind a model off meanwhile."""
    trainable = [
        parameter for top in modules_behind(model) for parameter in top.parameters() if parameter.requires_grad
    ]
    try:
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
