"""Where an adversarial training starts from: a checkpoint of standard training, found or made."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rogseg.engine.config.takers import takes
from rogseg.engine.training.work_dir import is_finished

__all__ = ["InitialCheckpoint", "best_checkpoint", "ensure_initial_checkpoint"]


@takes("init_from")
@dataclasses.dataclass(frozen=True)
class InitialCheckpoint:
    """The key ``init_from`` of a config: four places to start from, tried in this order.

    Args:
        checkpoint: a file; when given, it must be there.
        work_dir: of the stage before; its best checkpoint is taken once that stage has finished. None is where `stage`
            trains by default.
        zoo: name of a model in the model zoo.
        stage: config file of the stage before, which is trained into `work_dir` when nothing else is there.
    """

    checkpoint: str | None = None
    work_dir: str | None = None
    zoo: str | None = None
    stage: str | None = None

    @classmethod
    def from_config(cls, values: Mapping[str, Any]) -> "InitialCheckpoint":
        """Read the key, refusing what is not known.

        Raises:
            ValueError: an unknown key, or no place at all.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f"init_from: unknown keys {unknown}; known are {known}")
        place = cls(**values)
        if not any(dataclasses.astuple(place)):
            raise ValueError(f"init_from names no place: give one of {known}, or remove the key to train from scratch")
        return place


def ensure_initial_checkpoint(
    config: Mapping[str, Any],
    *,
    stage_work_dir: Callable[[Path], Path],
    train_stage: Callable[[Path, Path], None],
    zoo_checkpoint: Callable[[str], Path | None],
    say: Callable[[str], None] = print,
) -> Path | None:
    """The checkpoint that a training starts from, after training the stage before it where there is none.

    Every rank of a distributed training calls this, since all of them train the stage.

    Args:
        config: with ``init_from`` or without; ``load_from``, where set, wins over it.
        stage_work_dir: config file -> where it trains by default.
        train_stage: config file and work directory -> trains that stage to its end, resuming what is there.
        zoo_checkpoint: name -> file in the model zoo, or None where the zoo has none.
        say: told what is done and why.

    Returns:
        The file to load the weights from; None where the config starts from scratch.

    Raises:
        ValueError: a given file is not there, or no place has a checkpoint and no stage is named.
    """
    if config.get("load_from"):
        return existing(Path(config["load_from"]), "load_from")
    if config.get("init_from") is None:
        return None
    place = InitialCheckpoint.from_config(config["init_from"])
    if place.checkpoint:
        return existing(Path(place.checkpoint), "init_from.checkpoint")
    stage = Path(place.stage) if place.stage else None
    if place.work_dir:
        work_dir: Path | None = Path(place.work_dir)
    else:
        work_dir = stage_work_dir(stage) if stage else None
    if work_dir and is_finished(work_dir):
        found = best_checkpoint(work_dir)
        say(f"starting from the best checkpoint of the stage before: {found}")
        return found
    if place.zoo and (shipped := zoo_checkpoint(place.zoo)) is not None:
        say(f"starting from the model zoo: {shipped}")
        return shipped
    if not stage or not work_dir:
        raise ValueError(
            f"init_from: neither {work_dir} nor the model zoo has a finished checkpoint, and no stage is named that "
            "could be trained: give init_from.checkpoint=FILE"
        )
    begun = "was not finished" if work_dir.is_dir() else "has not been trained"
    say(
        f"this training starts from {stage}, which {begun} in {work_dir} and is not in the model zoo: "
        "it is trained first. To start elsewhere give --cfg-options init_from.checkpoint=FILE"
    )
    train_stage(stage, work_dir)
    return best_checkpoint(work_dir)


def best_checkpoint(work_dir: Path) -> Path:
    """The best checkpoint of a finished training.

    Raises:
        ValueError: there is none, or more than one.
    """
    found = sorted(work_dir.glob("best*.pth"))
    if len(found) != 1:
        names = [path.name for path in found]
        raise ValueError(
            f"{work_dir}: expected one file best*.pth, found {names}; give init_from.checkpoint=FILE to choose"
        )
    return found[0]


def existing(path: Path, key: str) -> Path:
    """A path that a config names.

    Raises:
        ValueError: it is not a file.
    """
    if not path.is_file():
        raise ValueError(f"{key}: there is no file {path}")
    return path
