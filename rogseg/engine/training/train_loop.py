"""TrainLoop: epochs of mini-batches, each handed to the trainer, each epoch closed by its validation."""

import random
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.distributed
from mmengine.runner import BaseLoop
from torch import nn
from torch.utils.data import DataLoader

from rogseg.datasets import PatchSampler
from rogseg.engine.training.epoch_meter import EpochMeter, refuse_divergence
from rogseg.engine.training.selection_validation import SelectionValidation
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.registry import LOOPS
from rogseg.trainers import Trainer

__all__ = ["TrainLoop", "divide_epochs", "gather_states", "seed_epoch"]


@LOOPS.register_module()
class TrainLoop(BaseLoop):
    """The training loop.

    Everything random is seeded anew at each epoch's start, from seed, epoch and process, and an epoch ends with its
    validation, before the hooks of its end run. So what is saved by them at an epoch's end goes on bit-identically.

    Args:
        runner: the runner.
        dataloader: of mini-batches by `PatchSampler`.
        trainer: what trains on one mini-batch.
        max_epochs: budget in epochs of standard training; one in which the trainer replays each mini-batch m times
            costs m of them, whether m is the same throughout or not.
        iterations_per_epoch: mini-batches per process and epoch; None is one patch per training case and epoch. It is
            what the loader was built for.
        validation: what measures the cases that select the checkpoint; None for nothing.
    """

    def __init__(
        self,
        runner: TrainingRunner,
        dataloader: DataLoader[Any],
        trainer: Trainer,
        max_epochs: int,
        iterations_per_epoch: int | None = None,
        validation: SelectionValidation | None = None,
    ) -> None:
        super().__init__(runner, dataloader)
        self.trainer, self.validation = trainer, validation
        if iterations_per_epoch is not None and iterations_per_epoch != len(dataloader):
            raise ValueError(f"iterations_per_epoch is {iterations_per_epoch}, but the loader gives {len(dataloader)}")
        if max_epochs < 1:
            raise ValueError(f"train_cfg.max_epochs is {max_epochs}, it must be at least 1")
        self.budget, self.spent = max_epochs, 0  # in epochs of standard training
        self.planned_replays = self.replays = trainer.num_replays
        self._epoch = self._iter = 0  # the Runner's names
        self._plan(done=0)
        self.stop_training = False
        self.history: list[dict[str, float]] = []

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return self._epoch

    @property
    def iter(self) -> int:
        """Mini-batches completed."""
        return self._iter

    @property
    def max_iters(self) -> int:
        """Mini-batches of the whole training."""
        return self.max_epochs * len(self.dataloader)

    @property
    def schedule_steps(self) -> int:
        """Steps of a schedule by mini-batches for each one that was planned, when the trainer had its first replays."""
        return max(1, self.replays // self.planned_replays)

    def run(self) -> nn.Module:
        """Train to the end and give the model back."""
        self._count_updates()
        self.runner.call_hook("before_train")
        while self._epoch < self.max_epochs and not self.stop_training:
            self.run_epoch()
        self.runner.call_hook("after_train")
        model: nn.Module = self.runner.model
        return model

    def run_epoch(self) -> None:
        """One epoch, its validation included."""
        runner = self.runner
        self.replays = self.trainer.num_replays
        seed_epoch(runner.seed, self._epoch, runner.rank)
        if isinstance(self.dataloader.sampler, PatchSampler):
            self.dataloader.sampler.set_epoch(self._epoch)
        runner.call_hook("before_train_epoch")
        runner.model.train()
        meter = EpochMeter()
        begin = last = time.perf_counter()
        waited = 0.0
        for index, data_batch in enumerate(self.dataloader):
            waited += time.perf_counter() - last
            runner.call_hook("before_train_iter", batch_idx=index, data_batch=data_batch)
            batch = data_batch.to(runner.device)
            outputs = self.trainer.step(runner.model, batch, runner.optim_wrapper)
            meter.add(outputs)
            runner.call_hook("after_train_iter", batch_idx=index, data_batch=data_batch, outputs=outputs)
            self._iter += 1
            last = time.perf_counter()
        record = meter.means()
        refuse_divergence(runner.bare_model)
        seconds = time.perf_counter() - begin
        record |= {"seconds": seconds, "data_wait": waited / seconds, "lr": runner.optim_wrapper.get_lr()["lr"][0]}
        self._end_epoch()
        record |= self._validate()
        self.history.append({"epoch": self._epoch + 1, "iter": self._iter, **record})
        runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _end_epoch(self) -> None:
        self.spent += self.replays
        self.trainer.end_epoch()
        if self.trainer.num_replays != self.replays:
            self._plan(done=self._epoch + 1)
            self._count_updates()

    def _plan(self, done: int) -> None:
        # The length of the whole training, if the trainer's replays stay as they are now.
        left, replays = self.budget - self.spent, self.trainer.num_replays
        epochs_left = divide_epochs(left, replays) if left > 0 else 0
        self.max_epochs = done + epochs_left
        self.max_updates = (self.spent + epochs_left * replays) * len(self.dataloader)

    def _validate(self) -> dict[str, float]:
        if self.validation is None or not self.validation.is_due(self._epoch, self.max_epochs):
            return {}
        begin = time.perf_counter()
        self.runner.call_hook("before_val")
        self.runner.call_hook("before_val_epoch")
        metrics = self.validation.run(
            self.runner.bare_model,
            self.runner.optim_wrapper,
            self.runner.device,
            epoch=self._epoch,
            max_epochs=self.max_epochs,
        )
        self.runner.call_hook("after_val_epoch", metrics=metrics)
        self.runner.call_hook("after_val")
        return {**metrics, "val_seconds": time.perf_counter() - begin}

    def _count_updates(self) -> None:
        # Gradient accumulation counts calls of update_params, of which a mini-batch makes num_replays.
        wrapper = self.runner.optim_wrapper
        counts = wrapper._accumulative_counts
        per_epoch = len(self.dataloader) * self.trainer.num_replays
        if per_epoch % counts:
            raise ValueError(
                f"optim_wrapper.accumulative_counts is {counts}, which does not divide the {per_epoch} gradient passes "
                "of an epoch, so a checkpoint would lose gradients: change train_cfg.iterations_per_epoch"
            )
        wrapper.initialize_count_status(self.runner.model, self.spent * len(self.dataloader), self.max_updates)

    def state_dict(self) -> dict[str, Any]:
        """State at the end of the running epoch; every process must call it, the first one writes it."""
        states = gather_states(self.trainer.state_dict())
        return {
            "epoch": self._epoch + 1,
            "iter": self._iter,
            "spent": self.spent,
            "iterations_per_epoch": len(self.dataloader),
            "history": self.history,
            "trainers": states,
        }

    def load_state_dict(self, state: Mapping[str, Any], source: str) -> None:
        """Take over what `state_dict` gave.

        Raises:
            ValueError: another length of epochs, another trainer, or another number of processes.
        """
        if state["iterations_per_epoch"] != len(self.dataloader):
            raise ValueError(
                f"{source}: its epochs have {state['iterations_per_epoch']} iterations, the config's "
                f"{len(self.dataloader)}: resume with the same data, batch size and number of processes"
            )
        states = state["trainers"]
        if len(states) != self.runner.world_size and any(states):
            raise ValueError(f"{source}: was written by {len(states)} processes, here are {self.runner.world_size}")
        self.trainer.load_state_dict(states[self.runner.rank] if any(states) else {})
        self._epoch, self._iter = state["epoch"], state["iter"]
        # Checkpoints without it are from trainers whose replays never changed.
        self.spent = state.get("spent", self._epoch * self.trainer.num_replays)
        self._plan(done=self._epoch)
        self.history = list(state["history"])


def divide_epochs(num_epochs: int, num_replays: int) -> int:
    """Epochs (or a patience in epochs) of a trainer that replays each mini-batch: at the cost of standard training."""
    return max(1, -(-num_epochs // num_replays))


def seed_epoch(seed: int, epoch: int, rank: int) -> None:
    """Seed what draws from global generators, such as dropout; patches have generators of their own."""
    words = np.random.SeedSequence([seed, epoch, rank]).generate_state(3)
    torch.manual_seed(int(words[0]))
    np.random.seed(int(words[1]))  # noqa: NPY002 (third-party layers may draw from it)
    random.seed(int(words[2]))


def gather_states(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The states of all processes, by rank."""
    if not torch.distributed.is_initialized():
        return [state]
    states: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(states, state)
    return states
