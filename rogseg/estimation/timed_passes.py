"""The passes that training and attacks are made of, run on noise and timed."""

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

from rogseg.attacks.counted_model import value_and_gradient
from rogseg.attacks.objectives import CrossEntropy
from rogseg.cases import Batch, IntensityBox
from rogseg.estimation.calibration import PassSeconds
from rogseg.inference.half_precision import in_dtype
from rogseg.models.kernels import fast_memory_format
from rogseg.task_plan import TaskPlan, Triple
from rogseg.trainers import StandardTrainer

__all__ = ["TimedPasses", "fastest_seconds", "optim_wrapper_of", "random_batch"]

MAX_RUNS = 5


class TimedPasses:
    """A network in training and a copy of it under attack, each in the form that the tools bring it to.

    Args:
        model: the network; it is copied.
        optim_wrapper: config of precision and optimizer.
        plan: of the task.
        device: where the passes run.
        dtype: that the network computes in under attack.
    """

    def __init__(
        self,
        model: nn.Module,
        optim_wrapper: Mapping[str, Any],
        plan: TaskPlan,
        device: torch.device,
        dtype: str = "float32",
    ) -> None:
        self.plan, self.device = plan, device
        attacked = fast_memory_format(copy.deepcopy(model).eval().requires_grad_(False).to(device))
        self.attacked = in_dtype(attacked, dtype)
        self.trained = copy.deepcopy(model).train().to(device)
        self.optim_wrapper = optim_wrapper_of(self.trained, optim_wrapper)

    def __call__(self, size: Triple) -> PassSeconds:
        """Run each pass once on one patch of noise of a size [voxels]."""
        batch = random_batch(self.plan, size, self.device)
        begin = _now(self.device)
        with torch.no_grad():
            self.attacked(batch.inputs)
        evaluated = _now(self.device)
        value_and_gradient(self.attacked, CrossEntropy(), batch.inputs, batch.targets)
        attacked = _now(self.device)
        StandardTrainer().step(self.trained, batch, self.optim_wrapper)
        return PassSeconds(evaluated - begin, attacked - evaluated, _now(self.device) - attacked)


def fastest_seconds(run: Callable[[], object], device: torch.device, *, budget: float = 5.0) -> float:
    """Wall time of the fastest of a few runs [s], which is the least that other programs of the machine have disturbed.

    Args:
        run: what is timed; its first time, which also pays for what is loaded and tuned once, counts if it is fastest.
        device: where it runs; what is still queued there is waited for.
        budget: wall time [s] after which nothing is run again; it is always run twice.
    """
    begin, taken = _now(device), list[float]()
    while len(taken) < 2 or (len(taken) < MAX_RUNS and _now(device) - begin < budget):
        start = _now(device)
        run()
        taken.append(_now(device) - start)
    return min(taken)


def random_batch(plan: TaskPlan, size: Triple, device: torch.device) -> Batch:
    """One patch of noise inside the box of a task, as a trainer gets it: inputs (1, C, *size)."""
    generator = torch.Generator().manual_seed(0)
    box = IntensityBox.per_channel(*zip(*(channel.box for channel in plan.channels), strict=True))
    inputs = box.lower + box.width * torch.rand(1, plan.num_channels, *size, generator=generator)
    targets = torch.randint(plan.num_classes, (1, *size), generator=generator)
    movable = torch.ones((1, 1, *size), dtype=torch.bool)
    return Batch(("noise",), inputs, targets, box, movable).to(device)


def optim_wrapper_of(model: nn.Module, config: Mapping[str, Any]) -> OptimWrapper:
    """Build what stands under ``optim_wrapper`` for a model, on the model's device.

    Raises:
        ValueError: its precision needs another device.
    """
    # MMEngine looks for this project's classes only inside their scope.
    with DefaultScope.overwrite_default_scope("rogseg"):
        wrapper = build_optim_wrapper(model, dict(config))
    # Without a count of what is to come, gradient accumulation warns.
    wrapper.initialize_count_status(model, 0, wrapper._accumulative_counts)
    return wrapper


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
