"""The model left as it was found: which modules a callable runs, their mode and their parameters."""

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from rogseg.cases import LogitFn

__all__ = ["evaluation_mode", "frozen_parameters", "modules_behind"]

# A lambda around a method of a wrapper of a sliding window of a module is four steps away.
MAX_STEPS = 6


def modules_behind(model: LogitFn) -> list[nn.Module]:
    """The modules that a callable runs: itself, or what it holds as attributes, arguments or variables it closes over.

    Nobody attacks a network by itself alone: it stands behind a sliding window, a bound method or a lambda.
    """
    found: list[nn.Module] = []
    seen: set[int] = set()

    def look(value: Any, steps: int) -> None:
        if id(value) in seen or steps > MAX_STEPS:
            return
        seen.add(id(value))
        if isinstance(value, nn.Module):
            found.append(value)
        elif callable(value) and not isinstance(value, type):
            for part in _parts(value):
                look(part, steps + 1)

    look(model, 0)
    return found


def _parts(function: Any) -> Iterator[Any]:
    """What a callable that is no module may call in its turn."""
    if inspect.ismethod(function):
        yield function.__self__
    elif inspect.isfunction(function):
        variables = inspect.getclosurevars(function)
        yield from variables.nonlocals.values()
        yield from variables.globals.values()
    elif isinstance(function, functools.partial):
        yield from (function.func, *function.args, *function.keywords.values())
    else:
        yield from getattr(function, "__dict__", {}).values()


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
