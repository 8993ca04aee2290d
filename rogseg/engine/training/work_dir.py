"""The work directory of a training: held by one at a time, overwritten only when asked, consistent after a kill."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rogseg.engine.config.task import plan_of
from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.fold_networks import fold_directory
from rogseg.engine.model.recorded_plan import plan_path
from rogseg.engine.training.processes import is_first
from rogseg.foreign import decode, read_json
from rogseg.models.checkpoints import BEST, FINISHED, LAST, read_checkpoint, write_checkpoint
from rogseg.storage import folder_lock, remove_leftovers, write_json_atomic

__all__ = [
    "FINISHED",
    "begin_training",
    "best_epoch",
    "held",
    "is_finished",
    "refuse_existing",
    "resumable",
    "work_dir_of",
    "write_best",
    "write_finished",
]


def work_dir_of(config: Config) -> Path:
    """Where checkpoints and curves of a config go: ``work_dir``, else ``work_dirs/<config>/<task>_fold<fold>``."""
    if config.work_dir is not None:
        return Path(config.work_dir)
    return fold_directory(Path("work_dirs") / Path(config.filename).stem, plan_of(config).name, config.fold)


def held(directory: Path) -> AbstractContextManager[None]:
    """Keep other trainings out; the first process of several holds the folder for all.

    Raises:
        ValueError: another training is at work there.
    """
    return folder_lock(directory, "training") if is_first() else nullcontext()


def refuse_existing(directory: Path, overwrite: bool) -> None:
    """Refuse to start where a training already is.

    Raises:
        ValueError: there is one, and nobody asked to lose it.
    """
    found = [name for name in (LAST, BEST, FINISHED) if (directory / name).exists()]
    if found and not overwrite:
        raise ValueError(
            f"{directory}: holds a training already ({', '.join(found)}): --resume goes on with it, --overwrite starts "
            "again and loses it, and --work-dir names another folder"
        )


def begin_training(directory: Path, *, resuming: bool) -> None:
    """Make the folder that of a training under way: first goes what says that one has come to its end.

    Args:
        directory: the work directory.
        resuming: whether the training that lies there goes on, or is lost.

    Raises:
        ValueError: the best epoch of what is resumed was an earlier one, and its weights are lost.
    """
    (directory / FINISHED).unlink(missing_ok=True)
    remove_leftovers(directory)
    if resuming:
        _repair_best(directory)
        return
    for name in (LAST, BEST):
        (directory / name).unlink(missing_ok=True)
    plan_path(directory / BEST).unlink(missing_ok=True)


def best_epoch(history: list[dict[str, float]]) -> float | None:
    """The first epoch with the highest score, of equal ones with the lowest loss; None where none was scored."""
    scored = [record for record in history if "score" in record]
    return max(scored, key=lambda record: (record["score"], -record["val_loss"]))["epoch"] if scored else None


def write_best(directory: Path, checkpoint: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    """Write the best checkpoint; a choice of post-processing that was made for the one before goes with that."""
    plan_path(directory / BEST).unlink(missing_ok=True)
    meta = {**checkpoint["meta"], "metrics": metrics}
    write_checkpoint(directory / BEST, {"meta": meta, "state_dict": checkpoint["state_dict"]})


def resumable(path: Path) -> dict[str, Any]:
    """A checkpoint that a training can go on from.

    Raises:
        ValueError: it holds weights only, or what it holds besides is not what a training wrote.
    """
    content = read_checkpoint(path)
    state = {key: content.get(key) for key in ("optimizer", "param_schedulers", "train_loop")}
    if missing := sorted(key for key, value in state.items() if value is None):
        raise ValueError(f"{path}: holds weights only ({', '.join(missing)} missing): start from it with load_from")
    decode(content["meta"].get("epoch"), int, f"{path}: meta.epoch")
    decode(state["train_loop"], dict[str, Any], f"{path}: train_loop")
    decode(content["train_loop"].get("history"), list[dict[str, float]], f"{path}: train_loop.history")
    return content


def _repair_best(directory: Path) -> None:
    """Bring ``best.pth`` up to ``last.pth``, which is written before it and holds the same weights in a best epoch."""
    last = resumable(directory / LAST)
    history = last["train_loop"]["history"]
    best = best_epoch(history)
    if best is None:
        return
    path = directory / BEST
    if path.is_file() and read_checkpoint(path)["meta"].get("epoch") == best:
        return
    if last["meta"]["epoch"] != best:
        raise ValueError(
            f"{path}: is not that of epoch {best:g}, the best one of {directory / LAST}: put the right file back, or "
            "start again with --overwrite"
        )
    write_best(directory, last, history[-1])


def write_finished(directory: Path, epochs: int, last_epoch: Mapping[str, float]) -> None:
    """Say that a training came to its end, and which files it left."""
    digests = {name: digest_of_file(directory / name) for name in (LAST, BEST) if (directory / name).is_file()}
    write_json_atomic(directory / FINISHED, {"epochs": epochs, "last_epoch": last_epoch, "files": digests})


def is_finished(directory: Path) -> bool:
    """Whether the checkpoints that lie here are those of a training that came to its end.

    Raises:
        ValueError: what says so cannot be read.
    """
    path = directory / FINISHED
    if not path.is_file():
        return False
    content = read_json(path, "remove it, and the training is taken for one that did not end")
    files = content.get("files", {}) if isinstance(content, dict) else {}
    digests = decode(files, dict[str, str], f"{path}: files")
    if LAST not in digests:
        return False  # from before it said so
    return all(
        (directory / name).is_file() and digest_of_file(directory / name) == digest for name, digest in digests.items()
    )
