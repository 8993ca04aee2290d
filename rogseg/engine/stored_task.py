"""From a config to the stored task that it works on, which is preprocessed where it is not there yet."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import Config

from rogseg.engine.config.task import attach_task, plan_of
from rogseg.storage import Fold, StoredTask

__all__ = ["all_cases", "data_hint", "ensure_stored_task", "is_stored", "stored_if_any", "stored_task_dir"]


def stored_task_dir(config: Config, task_dir: str | Path | None = None) -> Path:
    """Folder of the stored task: the one that was given, else ``stored_root/<name of the task>``."""
    return Path(task_dir) if task_dir is not None else Path(config.stored_root) / plan_of(config).name


def is_stored(directory: Path) -> bool:
    """Whether a folder has folds and a plan, which preprocessing writes last; a case may still have been lost since."""
    return all((directory / name).is_file() for name in ("plan.json", "splits.json"))


def stored_if_any(config: Config, task_dir: str | Path | None = None) -> StoredTask | None:
    """The stored task of a config as it is; None where there is none."""
    directory = stored_task_dir(config, task_dir)
    return StoredTask(directory) if is_stored(directory) else None


def all_cases(fold: Fold) -> tuple[str, ...]:
    """What training needs; the folds of a task differ in where they put a case, not in which there are."""
    return (*fold.train, *fold.validation)


def data_hint(task_name: str, otherwise: str = "name its folder with --data") -> str:
    """How a user gets the raw data of a task, or tells a command that has them.

    Args:
        task_name: of the task.
        otherwise: what to do who has them elsewhere, by options that the command has.
    """
    from rogseg.sources import MSD_ARCHIVES, download_hint

    hint = f"{download_hint(task_name)}; " if task_name in MSD_ARCHIVES else ""
    return f"{hint}if you have {task_name} elsewhere, {otherwise}"


def ensure_stored_task(
    config: Config,
    task_dir: str | Path | None = None,
    *,
    needed: Callable[[Fold], Sequence[str]] = all_cases,
    takes_data: bool = False,
) -> StoredTask:
    """The stored task of a config; it is preprocessed first where it is missing or was not finished.

    Args:
        config: names task, fold and folders, and the workers that would load are those that preprocess.
        task_dir: folder of the stored task, where it is not the config's own.
        needed: the cases that must be there, given the config's fold; others may be missing. Ids that no fold knows
            are the caller's to refuse: preprocessing would not bring them.
        takes_data: whether the command has ``--data``, which the message names then.

    Raises:
        ValueError: neither stored nor raw data are there; the message has the command that gets them. Or the needed
            cases were made with another plan than the one that is beside them.
    """
    # The libraries for raw files come with it.
    from rogseg.preprocessing import kept_plan, preprocess_task, refuse_other_plan

    directory = stored_task_dir(config, task_dir)
    if is_stored(directory):
        task = StoredTask(directory)
        fold = task.folds(config.fold)
        wanted = set(needed(fold)) & set(all_cases(fold))
        if wanted <= set(task.case_ids):
            attach_task(config, directory)
            refuse_other_plan(task, sorted(wanted))
            return task
    plan = plan_of(config)
    raw_dir = Path(config.data_root) / plan.name
    if not (raw_dir / "dataset.json").is_file():
        by_root = f"pass --cfg-options data_root=FOLDER, FOLDER being what holds {plan.name}"
        hint = data_hint(plan.name) if takes_data else data_hint(plan.name, by_root)
        raise ValueError(
            f"{plan.name} is neither stored in {directory.absolute()} nor raw in {raw_dir.absolute()}: {hint}, or pass "
            "--task with what rogseg preprocess made"
        )
    print(f"{directory} is not there or not finished: preprocessing {raw_dir} first", flush=True)
    # What the folder was made with before stays: a config is no order to replace it, and is held against it afterwards.
    plan = kept_plan(directory) or plan
    preprocess_task(raw_dir, directory, num_workers=max(1, config.train_data["num_workers"]), plan=plan)
    attach_task(config, directory)
    return StoredTask(directory)
