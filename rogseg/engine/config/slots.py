"""Where in a config components stand, and which registry builds what stands there."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

# Importing these fills MMEngine's registries.
from mmengine.optim import DefaultOptimWrapperConstructor  # noqa: F401
from mmengine.visualization import Visualizer  # noqa: F401

from rogseg import registry
from rogseg.registry import Registry

__all__ = ["NAME_SLOTS", "SLOTS", "Slot"]


@dataclasses.dataclass(frozen=True)
class Slot:
    """A key under which components stand.

    Args:
        registry: what builds them.
        shape: ``one`` component; ``many``, a list of them; ``either``; ``named``, a dictionary of them.
        supplied: arguments that the engine gives itself; a config cannot.
        extra: annotations of arguments that a builder takes out before the constructor sees them.
        tried: whether it is built once when the config is read, which costs nothing and lets its own checks speak.
    """

    registry: Registry
    shape: Literal["one", "many", "either", "named"] = "one"
    supplied: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    tried: bool = False


PRIORITY = {"priority": int | str}
# The key decides wherever it stands: an attack is one under validation, too.
SLOTS: dict[str, Slot] = {
    "model": Slot(registry.MODELS),
    "backbone": Slot(registry.BACKBONES),
    "head": Slot(registry.HEADS),
    "losses": Slot(registry.LOSSES, "many", tried=True),
    "trainer": Slot(registry.TRAINERS, tried=True),
    "craft": Slot(registry.CRAFTS),
    "loss": Slot(registry.ROBUST_LOSSES),
    "attack": Slot(registry.ATTACKS, tried=True),
    "attacks": Slot(registry.ATTACKS, "many", tried=True),
    "members": Slot(registry.ATTACKS, "named"),
    "two_class_members": Slot(registry.ATTACKS, "named"),
    "objective": Slot(registry.OBJECTIVES),
    "criterion": Slot(registry.CRITERIA, tried=True),
    "threat": Slot(
        registry.THREATS,
        supplied=frozenset({"box", "epsilon", "support"}),
        extra={"unit": Literal["fraction", "network", "raw", "reference"], "moves": Literal["all", "tissue"]},
    ),
    "measures": Slot(registry.METRICS, "many", tried=True),
    "system": Slot(registry.SYSTEMS),
    "train_cfg": Slot(registry.LOOPS, supplied=frozenset({"runner", "dataloader", "trainer", "validation"})),
    "optim_wrapper": Slot(
        registry.OPTIM_WRAPPERS,
        extra={"paramwise_cfg": Mapping[str, Any] | None, "constructor": str, "clip_grad": Mapping[str, Any] | None},
    ),
    "optimizer": Slot(registry.OPTIMIZERS, supplied=frozenset({"params"})),
    "param_scheduler": Slot(
        registry.PARAM_SCHEDULERS,
        "either",
        supplied=frozenset({"optimizer", "param_name", "end", "last_step"}),
        extra={"convert_to_iter_based": bool},
    ),
    "dataset": Slot(registry.DATASETS, supplied=frozenset({"stored_task_dir", "case_ids", "length", "seed"})),
    "transforms": Slot(registry.TRANSFORMS, "many", tried=True),
    "plateau": Slot(registry.HOOKS, tried=True),
    "default_hooks": Slot(registry.HOOKS, "named", extra=PRIORITY),
    "custom_hooks": Slot(registry.HOOKS, "many", extra=PRIORITY),
    "visualizer": Slot(registry.VISUALIZERS, supplied=frozenset({"name", "save_dir"})),
    "vis_backends": Slot(registry.VISBACKENDS, "either", supplied=frozenset({"save_dir"})),
}
# Arguments that name a component without being one; MMEngine builds them.
NAME_SLOTS: dict[str, Registry] = {
    "ema_type": registry.MODELS,
    "constructor": registry.OPTIM_WRAPPER_CONSTRUCTORS,
}
