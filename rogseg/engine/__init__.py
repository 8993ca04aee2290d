"""The only place that knows MMEngine's Runner."""

from rogseg.engine.api import TrainedModel, load_model, load_zoo_model
from rogseg.engine.autocast_optim_wrapper import AutocastOptimWrapper
from rogseg.engine.config import load_config
from rogseg.engine.config_task import plan_of
from rogseg.engine.one_cycle import OneCycle
from rogseg.engine.train_loop import TrainLoop
from rogseg.engine.training import build_runner, train, train_config, work_dir_of

__all__ = [
    "AutocastOptimWrapper",
    "OneCycle",
    "TrainLoop",
    "TrainedModel",
    "build_runner",
    "load_config",
    "load_model",
    "load_zoo_model",
    "plan_of",
    "train",
    "train_config",
    "work_dir_of",
]
