"""The weights that a training starts from, by its config, and what they know already."""

from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from rogseg.engine.config.load import load_config
from rogseg.engine.model.model_zoo import zoo_checkpoint
from rogseg.engine.training.warm_start import ensure_initial_checkpoint
from rogseg.engine.training.work_dir import work_dir_of
from rogseg.models.checkpoints import checkpoint_lineage
from rogseg.models.lineage import Lineage

__all__ = ["SHARED_KEYS", "known_to_start", "starting_weights", "weights_there"]

# Keys that a stage which is trained first takes over from the config that needs it.
SHARED_KEYS = ("data_root", "stored_root", "fold", "seed", "selection_fraction", "device", "launcher")


def starting_weights(
    config: Config,
    task_dir: str | Path | None,
    train_stage: Callable[[Path, Path], None],
    say: Callable[[str], None] = print,
) -> Path | None:
    """The file, found where this installation keeps such; see `ensure_initial_checkpoint`.

    Raises:
        ValueError: a given file is not there, or no place has one and no stage is named.
    """
    shared = {key: config[key] for key in SHARED_KEYS}
    return ensure_initial_checkpoint(
        config,
        stage_work_dir=lambda stage: work_dir_of(load_config(stage, shared, task_dir)),
        train_stage=train_stage,
        zoo_checkpoint=zoo_checkpoint,
        say=say,
    )


def weights_there(config: Config, task_dir: str | Path | None) -> Path | None:
    """The same without a training; None from scratch, and where there is none."""

    def refuse(stage: Path, _: Path) -> None:
        raise ValueError(f"{stage} has not been trained")

    try:
        return starting_weights(config, task_dir, refuse, say=lambda _: None)
    except ValueError:
        return None


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
