"""The only place that knows MMEngine's Runner."""

from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.engine.model.api import load_model, load_zoo_model
from rogseg.engine.training.autocast_optim_wrapper import AutocastOptimWrapper
from rogseg.engine.training.one_cycle import OneCycle
from rogseg.engine.training.parameter_groups import CheckedOptimWrapperConstructor
from rogseg.engine.training.train import build_runner, train, train_config
from rogseg.engine.training.train_loop import TrainLoop
from rogseg.engine.training.work_dir import work_dir_of

__all__ = [
    "AutocastOptimWrapper",
    "CheckedOptimWrapperConstructor",
    "OneCycle",
    "TrainLoop",
    "build_runner",
    "load_config",
    "load_model",
    "load_zoo_model",
    "plan_of",
    "train",
    "train_config",
    "work_dir_of",
]
