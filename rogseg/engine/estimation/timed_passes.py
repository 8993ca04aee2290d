"""The passes that training and attacks are made of, run and timed."""

import copy
import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import CrossEntropy
from rogseg.engine.estimation.calibration import PassSeconds
from rogseg.engine.estimation.noise import random_batch
from rogseg.engine.estimation.optimizer import optim_wrapper_of
from rogseg.task_plan import TaskPlan, Triple
from rogseg.trainers import StandardTrainer

__all__ = ["TimedPasses"]


class TimedPasses:
    """A network in training and a copy of it under attack, each in the form that the tools bring it to.

    Args:
        model: the network; it is copied.
        optim_wrapper: config of precision and optimizer.
        plan: of the task.
        device: where the passes run.
    """

    def __init__(
        self, model: nn.Module, optim_wrapper: Mapping[str, Any], plan: TaskPlan, device: torch.device
    ) -> None:
        self.plan, self.device = plan, device
        channels_last = {"memory_format": torch.channels_last_3d}
        self.attacked = copy.deepcopy(model).eval().requires_grad_(False).to(device).to(**channels_last)  # type: ignore[call-overload]
        self.trained = copy.deepcopy(model).train().to(device)
        if device.type == "cuda":
            self.trained = self.trained.to(**channels_last)  # type: ignore[call-overload]
        self.optim_wrapper = optim_wrapper_of(self.trained, optim_wrapper)

    def __call__(self, size: Triple) -> PassSeconds:
        """Run each pass once on one patch of noise of a size [voxels]."""
        batch = random_batch(self.plan, size, self.device)
        begin = self._now()
        with torch.no_grad():
            self.attacked(batch.inputs)
        evaluated = self._now()
        value_and_gradient(self.attacked, CrossEntropy(), batch.inputs, batch.targets)
        attacked = self._now()
        StandardTrainer().step(self.trained, batch, self.optim_wrapper)
        return PassSeconds(evaluated - begin, attacked - evaluated, self._now() - attacked)

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
