"""Every registry of the project, on one page.

A config names a component as ``dict(type="APGD", num_iterations=20)``; the registry of its kind builds it.
The class name is the registry name, and the file is that name in snake case. Importing the package in
``locations`` is what fills a registry, so a component is found without anybody importing it first.

Only what is registered is built. MMEngine imports whatever a name with a dot says, and the package of a ``_scope_``, so
that a config from a stranger could run any code; these registries look names up and do nothing else.
"""

import difflib
import inspect
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mmengine.registry
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import OPTIMIZERS as MMENGINE_OPTIMIZERS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as MMENGINE_VISBACKENDS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS

__all__ = [
    "ATTACKS",
    "BACKBONES",
    "CORRUPTIONS",
    "CRAFTS",
    "CRITERIA",
    "DATASETS",
    "HEADS",
    "HOOKS",
    "LOOPS",
    "LOSSES",
    "METRICS",
    "MODELS",
    "OBJECTIVES",
    "OPTIMIZERS",
    "OPTIM_WRAPPERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "PARAM_SCHEDULERS",
    "ROBUST_LOSSES",
    "SYSTEMS",
    "THREATS",
    "TRAINERS",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
    "own_sources",
]

SCOPE = "rogseg"


class Registry(mmengine.registry.Registry):
    """MMEngine's registry without its imports: a name is found here or in MMEngine's own registry, or it is unknown."""

    def get(self, key: str) -> Any:
        """The component of that name; None where none is registered.

        Raises:
            ValueError: the name is no text.
        """
        if not isinstance(key, str):
            raise ValueError(f"a {self.name} is named by a text or a class, got {key!r}")
        self.import_from_location()
        level: mmengine.registry.Registry | None = self
        while level is not None:
            if key in level.module_dict:
                return level.module_dict[key]
            level = level.parent
        return None

    def build(self, cfg: Any, *arguments: Any, **named: Any) -> Any:
        """Build a component.

        Raises:
            ValueError: ``cfg`` is no ``dict(type=...)``, or its type is not registered.
        """
        for entry in cfg if isinstance(cfg, list) else [cfg]:
            if not isinstance(entry, Mapping) or "type" not in entry:
                raise ValueError(f"a {self.name} is given as dict(type=...), got {entry!r}")
            name = entry["type"]
            if not callable(name) and self.get(name) is None:
                near = difflib.get_close_matches(name, self.module_dict, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(self.module_dict))}"
                raise ValueError(f"{name!r} is no registered {self.name}: {hint}")
        return super().build(cfg, *arguments, **named)

    @contextmanager
    def switch_scope_and_registry(self, scope: str | None) -> Iterator["Registry"]:
        """Stay here; MMEngine imports ``<scope>.registry``.

        Raises:
            ValueError: another scope is asked for.
        """
        if scope not in (None, SCOPE):
            raise ValueError(f"_scope_ is {scope!r}; a config of rogseg takes components of {SCOPE!r} alone")
        yield self


# What MMEngine's Runner builds is a child of MMEngine's own registry, so that its components stay usable.
MODELS = Registry("model", parent=MMENGINE_MODELS, scope=SCOPE, locations=["rogseg.models"])
DATASETS = Registry("dataset", parent=MMENGINE_DATASETS, scope=SCOPE, locations=["rogseg.datasets"])
TRANSFORMS = Registry("transform", parent=MMENGINE_TRANSFORMS, scope=SCOPE, locations=["rogseg.datasets.transforms"])
HOOKS = Registry("hook", parent=MMENGINE_HOOKS, scope=SCOPE, locations=["rogseg.engine.training.hooks"])
LOOPS = Registry("loop", parent=MMENGINE_LOOPS, scope=SCOPE, locations=["rogseg.engine"])
OPTIM_WRAPPERS = Registry("optim_wrapper", parent=MMENGINE_OPTIM_WRAPPERS, scope=SCOPE, locations=["rogseg.engine"])
PARAM_SCHEDULERS = Registry(
    "param_scheduler", parent=MMENGINE_PARAM_SCHEDULERS, scope=SCOPE, locations=["rogseg.engine"]
)
# Nothing of ours yet; MMEngine warns of each kind that the scope of a config lacks.
OPTIMIZERS = Registry("optimizer", parent=MMENGINE_OPTIMIZERS, scope=SCOPE)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    "optimizer wrapper constructor",
    parent=MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
    scope=SCOPE,
    locations=["rogseg.engine"],
)
VISUALIZERS = Registry("visualizer", parent=MMENGINE_VISUALIZERS, scope=SCOPE)
VISBACKENDS = Registry("vis_backend", parent=MMENGINE_VISBACKENDS, scope=SCOPE)

# What only this project knows.
BACKBONES = Registry("backbone", scope=SCOPE, locations=["rogseg.models.backbones", "rogseg.models.multi_planar"])
HEADS = Registry("head", scope=SCOPE, locations=["rogseg.models.heads"])
LOSSES = Registry("loss", scope=SCOPE, locations=["rogseg.models.losses"])
ATTACKS = Registry("attack", scope=SCOPE, locations=["rogseg.attacks"])
OBJECTIVES = Registry("objective", scope=SCOPE, locations=["rogseg.attacks.objectives"])
CRITERIA = Registry("criterion", scope=SCOPE, locations=["rogseg.attacks"])
THREATS = Registry("threat", scope=SCOPE, locations=["rogseg.attacks"])
METRICS = Registry("measure", scope=SCOPE, locations=["rogseg.metrics"])
CORRUPTIONS = Registry("corruption", scope=SCOPE, locations=["rogseg.corruptions"])
SYSTEMS = Registry("system", scope=SCOPE, locations=["rogseg.systems"])
TRAINERS = Registry("trainer", scope=SCOPE, locations=["rogseg.trainers"])
CRAFTS = Registry("craft", scope=SCOPE, locations=["rogseg.trainers.crafts"])
ROBUST_LOSSES = Registry("robust loss", scope=SCOPE, locations=["rogseg.trainers.losses"])

# MMEngine's Runner builds from these, too. As children of ours they look names up and import nothing.
OTHER_KINDS = tuple(
    Registry(parent.name, parent=parent, scope=SCOPE)
    for parent in vars(mmengine.registry).values()
    if isinstance(parent, mmengine.registry.Registry) and SCOPE not in parent.children
)


def own_sources(names: Container[str]) -> dict[Path, str]:
    """The files of components of these names that are no part of rogseg, each with the name of its module."""
    registries = [entry for entry in globals().values() if isinstance(entry, Registry)]
    named = [of for registry in registries for name, of in registry.module_dict.items() if name in names]
    own = [component for component in named if component.__module__.partition(".")[0] != SCOPE]
    return {path: component.__module__ for component in own if (path := _source_of(component)) is not None}


def _source_of(component: Any) -> Path | None:
    try:
        source = inspect.getsourcefile(component)
    except (OSError, TypeError):  # made in a session without a file
        return None
    return Path(source) if source is not None and Path(source).is_file() else None
