"""The weights that a training starts from, by its config, and what they know already."""

from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from rogseg.engine.config.load import load_config
from rogseg.engine.model.model_zoo import zoo_checkpoint
from rogseg.engine.training.warm_start import ensure_initial_checkpoint, initial_checkpoint_there
from rogseg.engine.training.work_dir import work_dir_of
from rogseg.models.checkpoints import checkpoint_lineage
from rogseg.models.lineage import Lineage

__all__ = ["SHARED_KEYS", "known_to_start", "starting_weights", "weights_there"]

# Keys that a stage which is trained first takes over from the config that needs it.
SHARED_KEYS = ("data_root", "stored_root", "fold", "seed", "selection_fraction", "device", "launcher")


def starting_weights(
    config: Config, task_dir: str | Path | None, train: Callable[[Config, str | Path | None], object]
) -> Path | None:
    """The file, after training the stage before where there is none; None from scratch.

    Raises:
        ValueError: a given file is not there, or no place has one and no stage is named.
    """
    shared = {key: config[key] for key in SHARED_KEYS}

    def train_stage(stage: Path, work_dir: Path) -> None:
        train(load_config(stage, {**shared, "work_dir": str(work_dir), "resume": True}, task_dir), task_dir)

    return ensure_initial_checkpoint(
        config,
        stage_work_dir=_stage_work_dir(config, task_dir),
        train_stage=train_stage,
        zoo_checkpoint=zoo_checkpoint,
    )


def weights_there(config: Config, task_dir: str | Path | None) -> Path | None:
    """The same without a training; None from scratch, and where there is none."""
    return initial_checkpoint_there(
        config, stage_work_dir=_stage_work_dir(config, task_dir), zoo_checkpoint=zoo_checkpoint
    )


def _stage_work_dir(config: Config, task_dir: str | Path | None) -> Callable[[Path], Path]:
    shared = {key: config[key] for key in SHARED_KEYS}
    return lambda stage: work_dir_of(load_config(stage, shared, task_dir))


def known_to_start(start: Path, lineage: Lineage) -> str:
    """A sentence where the start was fitted to cases that select the checkpoint here; empty where it was not."""
    before = checkpoint_lineage(start)
    if not isinstance(before, Lineage) or before.task != lineage.task:
        return ""
    known = sorted(set(before.training) & set(lineage.selection))
    if not known:
        return ""
    return (
        f"{start} was trained on {len(known)} of the {len(lineage.selection)} cases that select the checkpoint here "
        f"({', '.join(known[:3])}), so the choice favours what it knows; the seed that it had ({before.seed}), and its "
        "selection_fraction, hold the same cases out"
    )
