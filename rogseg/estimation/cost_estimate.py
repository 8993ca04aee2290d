"""CostEstimate: everything that is told about a config before it runs."""

import dataclasses

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rogseg.estimation.calibration import Calibration
from rogseg.estimation.training_memory import MemoryEstimate
from rogseg.estimation.volume_costs import AttackTime, VolumeMemory
from rogseg.task_plan import Triple

__all__ = ["CostEstimate", "TrainingTime", "VolumeEstimate", "count_macs", "count_parameters"]


@dataclasses.dataclass(frozen=True)
class TrainingTime:
    """What a training costs, validation and waiting for data left out.

    Args:
        num_iterations: mini-batches per epoch.
        num_epochs: the trainer's replays divide those of the config.
        seconds_per_epoch: wall time [s].
    """

    num_iterations: int
    num_epochs: int
    seconds_per_epoch: float

    @property
    def hours(self) -> float:
        """Of all epochs [h]."""
        return self.num_epochs * self.seconds_per_epoch / 3600


@dataclasses.dataclass(frozen=True)
class VolumeEstimate:
    """One whole volume.

    Args:
        size: [voxels].
        source: where the size is from.
        memory: besides the network's work on one window.
        attack: on it.
    """

    size: Triple
    source: str
    memory: VolumeMemory
    attack: AttackTime


@dataclasses.dataclass(frozen=True)
class CostEstimate:
    """All of it.

    Args:
        config: name of the config.
        task: name of the task.
        trainer: class of the trainer.
        patch: of training [voxels].
        window: of inference [voxels].
        batch_size: of the config.
        precision: None for float32, else the type that the forward pass runs in.
        num_parameters: of the network.
        macs: multiply-accumulates of the forward pass of one patch.
        memory: of training, for each kind of device that can be told.
        device: what was timed, in words.
        calibration: what it took.
        training: None where the number of training cases is not known.
        may_stop_early: whether the schedule can end the training before its last epoch.
        starts_from_stage: whether another training comes first where its checkpoint is missing.
        attack: name of the attack.
        patch_attack: on one window per case.
        volume: None where no size is known.
    """

    config: str
    task: str
    trainer: str
    patch: Triple
    window: Triple
    batch_size: int
    precision: str | None
    num_parameters: int
    macs: float
    memory: tuple[MemoryEstimate, ...]
    device: str
    calibration: Calibration
    training: TrainingTime | None
    may_stop_early: bool
    starts_from_stage: bool
    attack: str
    patch_attack: AttackTime
    volume: VolumeEstimate | None


def count_parameters(network: nn.Module) -> int:
    """Number of parameters, trained or not."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Multiply-accumulates of the convolutions and matrix products of one forward pass.

    Args:
        network: on the ``meta`` device, where a pass has shapes only and no arithmetic.
        shape: of the inputs, (B, C, D, H, W).
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(shape, device="meta"))
    # A multiply-accumulate is two operations.
    return counter.get_total_flops() / 2
