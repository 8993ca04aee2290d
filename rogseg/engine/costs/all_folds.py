"""Cross-validation: one training per fold, each in its own folder; what has come to its end is not done again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.engine.config.load import load_config
from rogseg.engine.costs.fit_minutes import fit_minutes
from rogseg.engine.model.fold_networks import fold_directory
from rogseg.engine.stored_task import ensure_stored_task
from rogseg.engine.training.provenance import refuse_other_training
from rogseg.engine.training.train import train_config
from rogseg.engine.training.work_dir import is_finished

__all__ = ["train_all_folds"]


def train_all_folds(
    path: str | Path,
    overrides: Mapping[str, Any],
    task_dir: str | Path | None = None,
    minutes: float | None = None,
) -> tuple[Path, ...]:
    """Train a network for each fold of a task.

    Args:
        path: config of the training.
        overrides: of its keys; ``work_dir`` is the folder below which each fold has its own.
        task_dir: folder of the stored task, where the config has none.
        minutes: for all folds together, each of which gets a schedule that fits its share.

    Returns:
        The folder of each fold.

    Raises:
        ValueError: a training cannot be run, several processes are to train, or a fold was trained with other
            settings before.
    """
    config = load_config(path, dict(overrides), task_dir)
    if config.launcher != "none":
        raise ValueError("--fold all trains in one process: start one training per fold with torchrun, --fold 0, ...")
    task = ensure_stored_task(config, task_dir)
    share = None if minutes is None else minutes / task.num_folds
    folder = Path(config.work_dir or Path("work_dirs") / Path(path).stem)
    directories = tuple(fold_directory(folder, task.plan.name, fold) for fold in range(task.num_folds))
    for fold, directory in enumerate(directories):
        of_fold = {**overrides, "fold": fold, "work_dir": str(directory), "resume": not config.get("overwrite")}
        if share is not None:
            of_fold |= fit_minutes(load_config(path, of_fold, task_dir), share, task_dir)
        if is_finished(directory) and not config.get("overwrite"):
            finished = load_config(path, of_fold, task_dir)
            refuse_other_training(finished, ensure_stored_task(finished, task_dir), share)
            print(f"fold {fold} of {task.num_folds}: trained before, {directory}", flush=True)
            continue
        print(f"fold {fold} of {task.num_folds}: {directory}", flush=True)
        train_config(path, of_fold, task_dir, share)
    print(f"all folds: rogseg test {path} {folder} --fold all measures them", flush=True)
    return directories
