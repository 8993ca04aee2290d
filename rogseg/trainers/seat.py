"""SEAT: Free adversarial training that adapts how often each mini-batch is replayed."""

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.cases import Batch
from rogseg.registry import TRAINERS
from rogseg.trainers.base import Passes, Trainer
from rogseg.trainers.free import FreeTrainer

__all__ = ["SEATTrainer"]

STATE = {"trainer", "num_replays", "num_epochs", "threshold", "gradient_sum", "gradient_count"}
FEWEST = 2  # replays, once there are more than one


@TRAINERS.register_module()
class SEATTrainer(Trainer):
    """Free adversarial training whose number of replays m follows the gradient with respect to the inputs.

    At an epoch's end the mean L1 norm of that gradient is known. m starts at 1 and becomes 2 after `interval` epochs.
    The epoch after that, or the next one that has a mean, sets the threshold, `tolerance` times its mean. From then on,
    after every `interval` epochs, m grows by 1 where the mean is above the threshold, and falls by 1 where it is below
    the threshold divided by `tolerance`; each change sets the threshold anew, from that epoch's mean.

    Args:
        trainer: a `FreeTrainer` with one replay.
        max_replays: largest m.
        interval: epochs between two looks.
        tolerance: how far, as a factor, the mean may rise until m follows.

    Raises:
        ValueError: an argument out of its range, or another trainer.

    Source: Wang et al., "Self-adaptive Adversarial Training for Robust Medical Segmentation", MICCAI 2023; rule and
    defaults are those of their code. Deviations: the perturbation's step is that of the `FreeTrainer`, where their code
    takes half the radius rounded down to an integer (``b_eps // 2``), which is 0 unless the intensities of a patch span
    2 / epsilon; the norm is that of the unscaled loss, whatever the precision, over voxels that may move; steps whose
    gradient overflowed are left out; all ranks of a distributed training follow their common mean.
    """

    def __init__(
        self,
        trainer: FreeTrainer | dict[str, Any] = {"type": "FreeTrainer", "num_replays": 1},  # noqa: B006 (only read)
        max_replays: int = 5,
        interval: int = 3,
        tolerance: float = 1.1,
    ) -> None:
        built = TRAINERS.build(trainer) if isinstance(trainer, dict) else trainer
        if not isinstance(built, FreeTrainer) or built.num_replays != 1:
            raise ValueError(
                "SEATTrainer adapts the replays of Free adversarial training, from 1 on: give it "
                "trainer=dict(type='FreeTrainer', num_replays=1)"
            )
        if max_replays < FEWEST:
            raise ValueError(f"max_replays={max_replays} must be at least {FEWEST}")
        if interval < 1:
            raise ValueError(f"interval={interval} must be at least 1 epoch")
        if not tolerance >= 1:
            raise ValueError(f"tolerance={tolerance} must be at least 1, a factor of the mean gradient")
        self.trainer = built
        self.threat = built.threat
        self.max_replays = max_replays
        self.interval = interval
        self.tolerance = tolerance
        self.num_replays = 1
        self.num_epochs = 0
        self.threshold = 0.0
        # Of this epoch and this rank, on the device, which nobody waits for until the epoch ends.
        self.gradient_sum = self.gradient_count = torch.zeros(())

    @property
    def passes(self) -> Passes:
        """One per replay, as many as there are now."""
        return self.trainer.passes

    def step(self, model: nn.Module, batch: Batch, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train on the mini-batch `num_replays` times; see `Trainer.step`."""
        logs = self.trainer.step(model, batch, optim_wrapper)
        gradient = logs["input_gradient"].float()
        is_finite = gradient.isfinite()
        self.gradient_sum = self.gradient_sum.to(gradient) + torch.where(is_finite, gradient, 0.0)
        self.gradient_count = self.gradient_count.to(gradient) + is_finite
        return logs | {"num_replays": torch.full_like(logs["loss"], self.num_replays)}

    def losses(self, model: nn.Module, batch: Batch, inputs: Tensor) -> dict[str, Tensor]:
        """Those of the `FreeTrainer`."""
        return self.trainer.losses(model, batch, inputs)

    def end_epoch(self) -> None:
        """Look at the epoch's mean gradient and adapt the replays; every rank must call it."""
        self.num_epochs += 1
        mean = self.mean_gradient()
        if self.num_epochs == self.interval:
            self.set_replays(FEWEST)
        elif self.num_epochs == self.interval + 1 or math.isnan(self.threshold):
            self.threshold = self.tolerance * mean  # NaN as long as no epoch has had a gradient
        elif self.num_epochs > self.interval and self.num_epochs % self.interval == 0:
            if mean > self.threshold and self.num_replays < self.max_replays:
                self.set_replays(self.num_replays + 1)
                self.threshold = self.tolerance * mean
            elif mean < self.threshold / self.tolerance and self.num_replays > FEWEST:
                self.set_replays(self.num_replays - 1)
                self.threshold = self.tolerance * mean
        self.gradient_sum = self.gradient_count = torch.zeros_like(self.gradient_sum)

    def mean_gradient(self) -> float:
        """Mean L1 norm over the epoch so far and all ranks; NaN, which changes nothing, where no step had one."""
        both = torch.stack([self.gradient_sum, self.gradient_count])
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(both)
        total, count = both.tolist()
        return total / count if count else math.nan

    def set_replays(self, num_replays: int) -> None:
        """Train on each mini-batch so often from now on."""
        self.num_replays = self.trainer.num_replays = num_replays

    def state_dict(self) -> dict[str, Any]:
        """That of the `FreeTrainer`, the replays and what they are decided by."""
        return {
            "trainer": self.trainer.state_dict(),
            "num_replays": self.num_replays,
            "num_epochs": self.num_epochs,
            "threshold": self.threshold,
            "gradient_sum": float(self.gradient_sum),
            "gradient_count": float(self.gradient_count),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; see `Trainer.load_state_dict`."""
        if set(state) != STATE:
            raise ValueError(f"not a state of SEATTrainer: it has the keys {sorted(state)}")
        self.trainer.load_state_dict(state["trainer"])
        self.set_replays(int(state["num_replays"]))
        self.num_epochs, self.threshold = int(state["num_epochs"]), float(state["threshold"])
        self.gradient_sum = torch.tensor(float(state["gradient_sum"]))
        self.gradient_count = torch.tensor(float(state["gradient_count"]))
