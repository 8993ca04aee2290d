"""Checks the components of a config against the constructors that will take them, before anything is built."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import DefaultOptimWrapperConstructor  # noqa: F401 (fills MMEngine's registries)
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import Registry

from rogseg import registry
from rogseg.engine.config.keys import nearest
from rogseg.engine.training.selection_validation import SelectionValidation
from rogseg.engine.training.training_data import build_train_loader
from rogseg.inference import VolumeLogits

__all__ = ["check_components"]

# Keys whose value is the arguments of one thing, without a type; and what of them the engine passes itself.
TAKER_OF_KEY: dict[str, tuple[Any, set[str]]] = {
    "train_data": (
        build_train_loader,
        {"stored_task_dir", "case_ids", "iterations_per_epoch", "seed", "rank", "world_size"},
    ),
    "validation": (SelectionValidation, {"stored_task_dir", "case_ids", "plan", "inference", "num_replays", "seed"}),
    "inference": (VolumeLogits, {"model", "compute_device"}),
}

# Which registry a component under a key belongs to; the nearest key that is listed decides.
REGISTRY_OF_KEY: dict[str, Registry] = {
    "model": registry.MODELS,
    "backbone": registry.BACKBONES,
    "head": registry.HEADS,
    "losses": registry.LOSSES,
    "trainer": registry.TRAINERS,
    "craft": registry.CRAFTS,
    "loss": registry.ROBUST_LOSSES,
    "attack": registry.ATTACKS,
    "attacks": registry.ATTACKS,
    "objective": registry.OBJECTIVES,
    "criterion": registry.CRITERIA,
    "train_cfg": registry.LOOPS,
    "optim_wrapper": registry.OPTIM_WRAPPERS,
    "optimizer": registry.OPTIMIZERS,
    "param_scheduler": registry.PARAM_SCHEDULERS,
    "dataset": registry.DATASETS,
    "transforms": registry.TRANSFORMS,
    "plateau": registry.HOOKS,
    "default_hooks": registry.HOOKS,
    "custom_hooks": registry.HOOKS,
    "visualizer": registry.VISUALIZERS,
    "vis_backends": registry.VISBACKENDS,
}
# What the engine itself passes to a constructor; a config cannot.
SUPPLIED_BY_KIND: dict[str, set[str]] = {
    "train_cfg": {"runner", "dataloader", "trainer", "validation"},
    "dataset": {"stored_task_dir", "case_ids", "length", "seed"},
    "optimizer": {"params"},
    "param_scheduler": {"optimizer", "param_name", "end", "last_step"},
    "visualizer": {"name", "save_dir"},
    "vis_backends": {"save_dir"},
}
# What a builder takes out of the config before the constructor sees it.
EXTRA_KEYS: dict[str, set[str]] = {
    "default_hooks": {"priority"},
    "custom_hooks": {"priority"},
    "optim_wrapper": {"paramwise_cfg", "constructor"},
    "param_scheduler": {"convert_to_iter_based"},
}


def check_components(value: Any, where: str, filename: str, kind: str | None = None) -> None:
    """Check ``type`` and arguments of every component under a key, recursively.

    Args:
        value: what stands there.
        where: dotted path of the key, for messages.
        filename: of the config, for messages.
        kind: the nearest enclosing key that a registry belongs to.

    Raises:
        ValueError: an unknown type, an unknown or a missing argument; the message names file, key and the nearest
            known word.
    """
    key = where.rpartition(".")[2].partition("[")[0]
    kind = key if key in REGISTRY_OF_KEY else kind
    if isinstance(value, Mapping):
        if where in TAKER_OF_KEY:
            taker, supplied = TAKER_OF_KEY[where]
            _check_arguments(value, where, filename, taker, where, supplied)
        elif "type" in value and kind is not None:
            _check_one(value, where, filename, kind)
        for name, entry in value.items():
            check_components(entry, f"{where}.{name}", filename, kind)
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            check_components(entry, f"{where}[{index}]", filename, kind)


def _check_one(component: Mapping[str, Any], where: str, filename: str, kind: str) -> None:
    name = component["type"]
    constructor = _find(name, kind) if isinstance(name, str) else name
    if constructor is None:
        raise ValueError(f"{filename}: {where}.type is {name!r}, which is unknown: {nearest(name, _known(kind))}")
    _check_arguments(component, where, filename, constructor, name, SUPPLIED_BY_KIND.get(kind, set()), kind)


def _check_arguments(
    arguments: Mapping[str, Any],
    where: str,
    filename: str,
    constructor: Any,
    name: str,
    supplied: set[str],
    kind: str | None = None,
) -> None:
    names, required, is_complete = signature_of(constructor)
    given = set(arguments) - {"type"}
    allowed = (names | EXTRA_KEYS.get(kind or "", set())) - supplied
    if is_complete:
        for unknown in sorted(given - allowed):
            raise ValueError(f"{filename}: {where}.{unknown} is no argument of {name}: {nearest(unknown, allowed)}")
    missing = sorted(required - given - supplied)
    if missing:
        raise ValueError(f"{filename}: {where} ({name}) lacks {', '.join(missing)}")


def signature_of(constructor: Any) -> tuple[set[str], set[str], bool]:
    """Names of the arguments, those without default, and whether that is all that the constructor takes.

    A class that passes ``**kwargs`` on takes what the classes above it take.
    """
    names: set[str] = set()
    required: set[str] = set()
    for cls in inspect.getmro(constructor) if inspect.isclass(constructor) else (constructor,):
        if cls is object:
            return names, required, False
        if inspect.isclass(cls) and "__init__" not in vars(cls):
            continue
        parameters = inspect.signature(vars(cls)["__init__"] if inspect.isclass(cls) else cls).parameters
        for parameter in parameters.values():
            if parameter.name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            names.add(parameter.name)
            if parameter.default is parameter.empty:
                required.add(parameter.name)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return names, required, True
    return names, required, True


def _find(name: str, kind: str) -> Any:
    found = REGISTRY_OF_KEY[kind].get(name)
    if found is None and kind == "optimizer":
        return getattr(torch.optim, name, None)
    return found


def _known(kind: str) -> set[str]:
    known = set(REGISTRY_OF_KEY[kind].module_dict)
    return known | set(MMENGINE_HOOKS.module_dict) if kind.endswith("_hooks") else known
