"""TrainingRunner: MMEngine's Runner with safe checkpoints and its device said; all that touches its private parts."""

import dataclasses
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, _ParamScheduler
from mmengine.runner import Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from rogseg.engine.config.takers import takes
from rogseg.engine.model.compilation import compile_in_place
from rogseg.models.checkpoints import assign_weights, read_checkpoint, write_checkpoint

__all__ = ["EnvironmentSettings", "TrainingRunner"]

_MMENGINE_HOOKS = {"runtime_info", "timer", "sampler_seed", "logger", "param_scheduler", "checkpoint"}


@takes("env_cfg")
@dataclasses.dataclass(frozen=True)
class EnvironmentSettings:
    """The key ``env_cfg`` of a config, in MMEngine's words.

    Args:
        cudnn_benchmark: whether cuDNN tries its algorithms once and keeps the fastest.
        mp_cfg: mp_start_method and opencv_num_threads of processes that load data.
        dist_cfg: backend of processes that train together.
        resource_limit: files that may be open.
    """

    cudnn_benchmark: bool = False
    mp_cfg: dict[str, Any] = dataclasses.field(default_factory=dict)
    dist_cfg: dict[str, Any] = dataclasses.field(default_factory=dict)
    resource_limit: int = 4096


takes("env_cfg.mp_cfg", "distributed")(set_multi_processing)


class TrainingRunner(Runner):
    """The Runner of rogseg.

    Deviations from MMEngine: checkpoints are written atomically and read with ``weights_only``, weights must fit
    without exception, the training loop's state is part of them, and nothing else of them is needed to resume
    bit-identically at an epoch's end. The model goes to the given device, with channels last on a GPU.
    """

    def __init__(
        self,
        device: torch.device,
        provenance: Mapping[str, Any],
        find_unused_parameters: bool = False,
        **arguments: Any,
    ) -> None:
        """Take MMEngine's arguments, the device, and what checkpoints say of where they come from (JSON data)."""
        self.device, self.provenance = device, provenance
        self.find_unused_parameters = find_unused_parameters
        super().__init__(**arguments)
        self._config_text = self.cfg.pretty_text  # takes a while to format

    @property
    def is_resuming(self) -> bool:
        """Whether the checkpoint that is loaded is gone on from, rather than started from."""
        return bool(self._resume)

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Do as MMEngine does, but open no folder that is named for the moment: all goes into the work directory."""
        with warnings.catch_warnings():  # each of several processes has its share of the threads
            warnings.filterwarnings("ignore", "Setting (OMP|MKL)_NUM_THREADS", UserWarning)
            super().setup_env(env_cfg)
        self._timestamp = ""

    def build_logger(self, log_level: int | str = "INFO", log_file: str | None = None, **_: Any) -> MMLogger:
        """MMEngine's logger, without a file of its own: `ProgressHook` writes ``train.log``."""
        return MMLogger.get_instance(self._experiment_name, log_level=log_level, log_file=log_file)

    def _log_env(self, env_cfg: Mapping[str, Any]) -> None:
        """Nothing: MMEngine starts compilers to ask for their versions, which takes seconds, for a log nobody sees."""

    def register_default_hooks(self, hooks: Mapping[str, Any] | None = None) -> None:
        """Register MMEngine's hooks and ours; None takes one out, where MMEngine would fail for any but its own."""
        chosen = {name: hook for name, hook in (hooks or {}).items() if hook is not None or name in _MMENGINE_HOOKS}
        super().register_default_hooks(chosen)

    def _build_param_scheduler(
        self, scheduler: dict[str, Any] | list[dict[str, Any]], optim_wrapper: OptimWrapper
    ) -> list[_ParamScheduler]:
        """MMEngine's, where schedules by epochs count epochs of standard training, and end with its budget."""
        loop = self.train_loop
        configs = [dict(one) for one in (scheduler if isinstance(scheduler, list) else [scheduler])]
        for number, config in enumerate(configs):
            if config.get("convert_to_iter_based") and loop.planned_replays > 1:
                raise ValueError(
                    f"param_scheduler[{number}].convert_to_iter_based: this trainer replays each mini-batch, so that "
                    "epochs of standard training have no whole number of mini-batches: leave it out"
                )
            if config.get("by_epoch", True):
                config.setdefault("end", loop.budget)
        schedulers: list[_ParamScheduler] = super()._build_param_scheduler(configs, optim_wrapper)
        return schedulers

    def wrap_model(self, model_wrapper_cfg: Mapping[str, Any] | None, model: nn.Module) -> nn.Module:
        """Move the model to the device and distribute it where there are several processes."""
        model = model.to(self.device)
        compile_in_place(model, self.cfg.get("compile"))
        if not self.distributed:
            return model
        with warnings.catch_warnings():  # PyTorch 2.13 has another name for it, which those before do not know
            warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
            return DistributedDataParallel(
                model,
                device_ids=[int(os.environ["LOCAL_RANK"])] if self.device.type == "cuda" else None,
                broadcast_buffers=False,
                find_unused_parameters=self.find_unused_parameters,
            )

    @property
    def bare_model(self) -> nn.Module:
        """The model without a distributed wrapper."""
        model: nn.Module = self.model
        if isinstance(model, DistributedDataParallel):
            inner: nn.Module = model.module
            return inner
        return model

    def save_training(self, path: str | Path, loop_state: Mapping[str, Any]) -> dict[str, Any]:
        """Write all that it takes to go on from the end of this epoch; call it on the first process.

        Args:
            path: the file.
            loop_state: state of the training loop.

        Returns:
            What was written.
        """
        checkpoint = {
            "meta": self.meta(),
            # Copies: averaged weights are swapped into this dictionary in place.
            "state_dict": {key: value.detach().cpu().clone() for key, value in self.bare_model.state_dict().items()},
            "optimizer": self.optim_wrapper.state_dict(),
            "param_schedulers": [
                {key: value for key, value in scheduler.state_dict().items() if not isinstance(value, Callable)}  # type: ignore[arg-type]
                for scheduler in self.param_schedulers or []
            ],
            "train_loop": loop_state,
        }
        self.call_hook("before_save_checkpoint", checkpoint=checkpoint)
        write_checkpoint(path, checkpoint)
        return checkpoint

    def meta(self) -> dict[str, Any]:
        """What a checkpoint says about where it comes from."""
        return {
            "epoch": self.epoch + 1,
            "iter": self.iter,
            "seed": self.seed,
            "task": self.cfg.to_dict().get("task"),
            "cfg": self._config_text,
            "mmengine_version": mmengine.__version__,
            **self.provenance,
        }

    def load_checkpoint(
        self, filename: str, map_location: Any = "cpu", strict: bool = True, revise_keys: Any = ()
    ) -> dict[str, Any]:
        """Load weights; the arguments after the first are MMEngine's and have no effect."""
        checkpoint = read_checkpoint(filename)
        self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
        assign_weights(self.bare_model, checkpoint["state_dict"], filename)
        self._has_loaded = True
        return checkpoint

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: Any = "default",
    ) -> None:
        """Go on where `save_training` stopped; the arguments after the first are MMEngine's and have no effect.

        Raises:
            ValueError: the checkpoint holds weights only, or was written by another setting.
        """
        checkpoint = self.load_checkpoint(filename)
        try:
            self._take_over(filename, checkpoint)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, ValueError) and str(error).startswith(str(filename)):
                raise
            raise ValueError(
                f"{filename}: does not fit this training, as that of another optimiser or trainer would not "
                f"({type(error).__name__}: {error}): start from it with load_from in another --work-dir"
            ) from error

    def _take_over(self, filename: str, checkpoint: Mapping[str, Any]) -> None:
        self.train_loop.load_state_dict(checkpoint["train_loop"], filename)
        self.optim_wrapper.load_state_dict(checkpoint["optimizer"])
        schedulers = self.param_schedulers or []
        if len(schedulers) != len(checkpoint["param_schedulers"]):
            raise ValueError(f"{filename}: was trained with other schedulers than the config's param_scheduler")
        for scheduler, state in zip(schedulers, checkpoint["param_schedulers"], strict=True):
            if scheduler.end != state["end"]:
                raise ValueError(
                    f"{filename}: its learning rate was scheduled to step {state['end']}, the config's to "
                    f"{scheduler.end}: resume with the same train_cfg, or start from it with load_from"
                )
            scheduler.load_state_dict(state)
