"""CostEstimate: everything that is told about a config before it runs."""

import dataclasses

from rogseg.engine.estimation.attack_passes import AttackPasses
from rogseg.engine.estimation.calibration import Calibration, PassSeconds
from rogseg.engine.estimation.memory_estimate import MemoryEstimate
from rogseg.engine.estimation.training_time import TrainingTime
from rogseg.engine.estimation.volume_memory import VolumeMemory
from rogseg.task_plan import Triple

__all__ = ["AttackTime", "CostEstimate", "VolumeEstimate"]


@dataclasses.dataclass(frozen=True)
class AttackTime:
    """One attack on one case at one epsilon.

    Args:
        passes: over the windows of the case.
        seconds: wall time [s].
    """

    passes: AttackPasses
    seconds: float

    @classmethod
    def of(cls, passes: AttackPasses, window: PassSeconds) -> "AttackTime":
        """From the seconds of one window."""
        seconds = passes.forward_windows * window.forward + passes.gradient_windows * window.input_gradient
        return cls(passes, seconds)


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
