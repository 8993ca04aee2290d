"""How long a training takes, from the seconds of one patch."""

import dataclasses

from mmengine.config import Config

from rogseg.engine.estimation.calibration import PassSeconds
from rogseg.engine.training.train_loop import divide_epochs
from rogseg.trainers import Trainer

__all__ = ["TrainingTime", "training_time"]


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


def training_time(config: Config, trainer: Trainer, num_cases: int | None, seconds: PassSeconds) -> TrainingTime | None:
    """Multiply the passes of an epoch out, one process, a mini-batch counted as its patches one after the other.

    Args:
        config: its ``train_cfg`` and ``train_data.batch_size``.
        trainer: passes per mini-batch.
        num_cases: that are trained on, for configs that take one patch of each per epoch.
        seconds: of one patch.

    Returns:
        None where the config asks for one patch per case and the cases are not known.
    """
    batch_size = config.train_data["batch_size"]
    num_iterations = config.train_cfg.get("iterations_per_epoch")
    if num_iterations is None:
        if num_cases is None:
            return None
        num_iterations = max(1, num_cases // batch_size)
    passes = trainer.passes
    per_patch = passes.training * seconds.training_step + passes.crafting * seconds.input_gradient
    num_epochs = divide_epochs(config.train_cfg["max_epochs"], trainer.num_replays)
    return TrainingTime(num_iterations, num_epochs, num_iterations * batch_size * per_patch)
