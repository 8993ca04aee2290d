"""The training of one network: as long as it may take, saved after each epoch, gone on with after a kill."""

import contextlib
import dataclasses
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from mmengine.config import Config

from rogseg.cases import Batch
from rogseg.command_line import is_out_of_memory
from rogseg.engine.costs.fit_minutes import ShortSchedule, short_schedule
from rogseg.engine.hardening.patches import PreparedPatches, patch_loader
from rogseg.engine.hardening.prepared_cases import PreparedCase
from rogseg.engine.hardening.trainee import Trainee
from rogseg.engine.hardening.trainer_choice import build_trainer
from rogseg.engine.training.train import RUN_NUMBERS
from rogseg.engine.training.training_runner import TrainingRunner
from rogseg.engine.training.work_dir import is_finished, write_finished
from rogseg.estimation.timed_passes import optim_wrapper_of
from rogseg.foreign import decode, read_json
from rogseg.models.checkpoints import LAST, assign_weights, read_checkpoint
from rogseg.storage import write_json_atomic
from rogseg.task_plan import Triple

__all__ = ["NetworkTraining", "optimisation"]

SCHEDULE = "schedule.json"
MOST_TIMED, SHARE_TIMED = 5, 0.05  # steps, and of the time
# The Runner's own hooks log, save and schedule at other moments than TrainLoop needs.
HOOKS = {
    **dict.fromkeys(("runtime_info", "timer", "sampler_seed", "logger", "checkpoint", "param_scheduler")),
    **{name: {"type": f"{name.capitalize()}Hook"} for name in ("history", "progress", "save", "schedule")},
}


def optimisation(learning_rate: float, device: torch.device) -> dict[str, Any]:
    """The config of the optimiser: AdamW under one cycle, bfloat16 on a GPU, gradients clipped as nnU-Net does."""
    return {
        "type": "AutocastOptimWrapper" if device.type == "cuda" else "OptimWrapper",
        "optimizer": {"type": "AdamW", "lr": learning_rate, "weight_decay": 1e-2},
        "clip_grad": {"max_norm": 12.0},
    }


@contextlib.contextmanager
def _put_back(network: Trainee) -> Iterator[None]:
    """The weights and statistics of a network are afterwards what they were, and no gradients are left."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    try:
        yield
    finally:
        network.load_state_dict(before)
        network.zero_grad(set_to_none=True)


@dataclasses.dataclass(frozen=True)
class NetworkTraining:
    """What is trained how.

    Args:
        cases: whose patches are taken.
        patch_size: extent [voxels]; None takes whole cases.
        multiple_of: see `PreparedPatches`.
        batch_size: patches per mini-batch.
        trainer: its config.
        optim_wrapper: config of precision and optimiser.
        device: where it runs.
        seed: of all randomness.
    """

    cases: Sequence[PreparedCase]
    patch_size: Triple | None
    multiple_of: int
    batch_size: int
    trainer: Mapping[str, Any]
    optim_wrapper: Mapping[str, Any]
    device: torch.device
    seed: int

    def checked(self) -> Self:
        """Give it back, where mini-batches can be made of all cases.

        Raises:
            ValueError: whole cases of different shapes would have to share one.
        """
        patches = PreparedPatches(self.cases, self.patch_size, self.multiple_of, (), 1, self.seed)
        sizes = sorted({patches.size_of(case) for case in self.cases})
        if self.batch_size > 1 and len(sizes) > 1:
            raise ValueError(
                f"this network takes whole volumes, and its cases have different shapes, such as {sizes[0]} and "
                f"{sizes[-1]}, which no mini-batch of {self.batch_size} holds: give --batch-size 1, or windows.size in "
                "the system's config"
            )
        return self

    def rehearse(self, network: Trainee) -> None:
        """One pass in training mode, in which many networks give something else; the network is left as it was.

        Raises:
            ValueError: no loss can be taken of what it gives.
        """
        batch = self._mini_batch(())
        try:
            with _put_back(network), torch.no_grad():  # statistics of batches move with each pass
                network.to(self.device).train()(batch.inputs, batch.targets, mode="loss")
        finally:
            network.eval()

    def run(self, network: Trainee, mirror_axes: Sequence[int], directory: Path, seconds: float) -> None:
        """Train in place, or take over the weights of a training that came to its end.

        Args:
            network: is left in evaluation mode, without gradients for its weights.
            mirror_axes: see `PreparedPatches`.
            directory: of its checkpoint and history; what lies there is gone on with.
            seconds: that it may take [s]; a training that is gone on with keeps the schedule that it began with.

        Raises:
            ValueError: no mini-batch fits into the time.
            MemoryError: a mini-batch does not fit into memory.
        """
        last = directory / LAST
        try:
            if is_finished(directory):
                assign_weights(network, read_checkpoint(last)["state_dict"], last)
                return
            network.requires_grad_(True).train()
            schedule = self._schedule(network, mirror_axes, directory, seconds)
            runner = self._runner(network, mirror_axes, directory, schedule)
            try:
                runner.train()
            finally:
                runner.call_hook("after_run")  # lets go of the terminal
            write_finished(directory, runner.epoch, runner.train_loop.history[-1])
        except BaseException as error:
            if is_out_of_memory(error):
                raise MemoryError(
                    f"out of memory on {self.device} with --batch-size {self.batch_size} and patches of "
                    f"{self.patch_size or 'whole cases'} voxels: take a smaller batch"
                ) from error
            raise
        finally:
            network.requires_grad_(False).eval()

    def _schedule(self, network: Trainee, mirror_axes: Sequence[int], directory: Path, seconds: float) -> ShortSchedule:
        path = directory / SCHEDULE
        if path.is_file():
            return decode(read_json(path, f"remove {directory} to begin again"), ShortSchedule, str(path))
        begin = time.monotonic()
        step = self._seconds_per_step(network, mirror_axes, SHARE_TIMED * seconds)
        schedule = short_schedule(seconds - (time.monotonic() - begin), step, 0.0)
        write_json_atomic(path, dataclasses.asdict(schedule))
        return schedule

    def _patches(self, mirror_axes: Sequence[int], length: int) -> PreparedPatches:
        return PreparedPatches(self.cases, self.patch_size, self.multiple_of, mirror_axes, length, self.seed)

    def _mini_batch(self, mirror_axes: Sequence[int]) -> Batch:
        patches = self._patches(mirror_axes, self.batch_size)
        return Batch.stack([patches[0, index] for index in range(self.batch_size)]).to(self.device)

    def _seconds_per_step(self, network: Trainee, mirror_axes: Sequence[int], budget: float) -> float:
        """Wall time of a mini-batch with all its replays [s]; the weights are put back."""
        batch = self._mini_batch(mirror_axes)
        taken: list[float] = []
        with _put_back(network):
            network.to(self.device)
            wrapper, trainer = optim_wrapper_of(network, self.optim_wrapper), build_trainer(dict(self.trainer))
            trainer.step(network, batch, wrapper)  # pays for what is loaded and tuned once
            while not taken or (len(taken) < MOST_TIMED and sum(taken) < budget):
                begin = time.perf_counter()
                trainer.step(network, batch, wrapper)["loss"].item()  # waits for the device
                taken.append(time.perf_counter() - begin)
        return statistics.median(taken)

    def _runner(
        self, network: Trainee, mirror_axes: Sequence[int], directory: Path, schedule: ShortSchedule
    ) -> TrainingRunner:
        trainer, last = build_trainer(dict(self.trainer)), directory / LAST
        length = schedule.num_iterations * self.batch_size
        patches = self._patches(mirror_axes, length)
        return TrainingRunner(
            device=self.device,
            provenance={},
            model=network,
            work_dir=str(directory),
            train_dataloader=patch_loader(patches, self.batch_size),
            train_cfg={
                "type": "TrainLoop",
                "trainer": trainer,
                "max_epochs": schedule.num_epochs * trainer.num_replays,
                "iterations_per_epoch": schedule.num_iterations,
            },
            optim_wrapper=dict(self.optim_wrapper),
            param_scheduler=[{"type": "OneCycle", "by_epoch": False}],
            default_hooks=HOOKS,
            load_from=str(last) if last.is_file() else None,
            resume=last.is_file(),
            visualizer={"type": "Visualizer", "vis_backends": []},
            default_scope="rogseg",
            log_level="WARNING",
            randomness={"seed": self.seed},
            experiment_name=f"{directory.name}-{os.getpid()}-{next(RUN_NUMBERS)}",
            cfg=Config({"trainer": dict(self.trainer)}),
        )
