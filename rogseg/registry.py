"""Every registry of the project, on one page.

A config names a component as ``dict(type="APGD", num_iterations=20)``; the registry of its kind builds it.
The class name is the registry name, and the file is that name in snake case. Importing the package in
``locations`` is what fills a registry, so a component is found without anybody importing it first.
"""

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import OPTIMIZERS as MMENGINE_OPTIMIZERS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as MMENGINE_VISBACKENDS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry

__all__ = [
    "ATTACKS",
    "BACKBONES",
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
    "SYSTEMS",
    "THREATS",
    "TRAINERS",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
]

SCOPE = "rogseg"

# What MMEngine's Runner builds is a child of MMEngine's own registry, so that its components stay usable.
MODELS = Registry("model", parent=MMENGINE_MODELS, scope=SCOPE, locations=["rogseg.models"])
DATASETS = Registry("dataset", parent=MMENGINE_DATASETS, scope=SCOPE, locations=["rogseg.datasets"])
TRANSFORMS = Registry("transform", parent=MMENGINE_TRANSFORMS, scope=SCOPE, locations=["rogseg.datasets.transforms"])
METRICS = Registry("metric", parent=MMENGINE_METRICS, scope=SCOPE, locations=["rogseg.metrics"])
HOOKS = Registry("hook", parent=MMENGINE_HOOKS, scope=SCOPE, locations=["rogseg.engine.training.hooks"])
LOOPS = Registry("loop", parent=MMENGINE_LOOPS, scope=SCOPE, locations=["rogseg.engine"])
OPTIM_WRAPPERS = Registry("optim_wrapper", parent=MMENGINE_OPTIM_WRAPPERS, scope=SCOPE, locations=["rogseg.engine"])
PARAM_SCHEDULERS = Registry(
    "param_scheduler", parent=MMENGINE_PARAM_SCHEDULERS, scope=SCOPE, locations=["rogseg.engine"]
)
# Nothing of ours yet; MMEngine warns of each kind that the scope of a config lacks.
OPTIMIZERS = Registry("optimizer", parent=MMENGINE_OPTIMIZERS, scope=SCOPE)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    "optimizer wrapper constructor", parent=MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS, scope=SCOPE
)
VISUALIZERS = Registry("visualizer", parent=MMENGINE_VISUALIZERS, scope=SCOPE)
VISBACKENDS = Registry("vis_backend", parent=MMENGINE_VISBACKENDS, scope=SCOPE)

# What only this project knows.
BACKBONES = Registry("backbone", scope=SCOPE, locations=["rogseg.models.backbones"])
HEADS = Registry("head", scope=SCOPE, locations=["rogseg.models.heads"])
LOSSES = Registry("loss", scope=SCOPE, locations=["rogseg.models.losses"])
ATTACKS = Registry("attack", scope=SCOPE, locations=["rogseg.attacks"])
OBJECTIVES = Registry("objective", scope=SCOPE, locations=["rogseg.attacks.objectives"])
CRITERIA = Registry("criterion", scope=SCOPE, locations=["rogseg.attacks"])
THREATS = Registry("threat", scope=SCOPE, locations=["rogseg.attacks"])
SYSTEMS = Registry("system", scope=SCOPE, locations=["rogseg.systems"])
TRAINERS = Registry("trainer", scope=SCOPE, locations=["rogseg.trainers"])
