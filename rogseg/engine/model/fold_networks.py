"""The networks of a cross-validation: where each fold's training left its own, and all of them as one ensemble."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from rogseg.models.checkpoints import BEST, FINISHED
from rogseg.models.lineage import Lineage, united

__all__ = ["fold_checkpoints", "fold_directory", "united_lineage"]


def fold_directory(folder: str | Path, task: str, fold: int) -> Path:
    """Where the training of a fold lies below the folder of all."""
    return Path(folder) / f"{task}_fold{fold}"


def fold_checkpoints(folder: str | Path, task: str) -> dict[int, Path]:
    """The best checkpoint of every fold that was trained below a folder, by the fold's number.

    Args:
        folder: of a training's folders, such as ``work_dirs/rog_standard``.
        task: name of the task.

    Raises:
        ValueError: there is none, or a training has not come to its end.
    """
    pattern = re.compile(re.escape(task) + r"_fold([0-9]+)")
    found = {}
    for path in Path(folder).iterdir():
        match = pattern.fullmatch(path.name)
        if match is not None and (path / BEST).is_file():
            found[int(match[1])] = path / BEST
    if not found:
        raise ValueError(
            f"{folder}: holds no {fold_directory('', task, 0)}/{BEST}, ...: name a checkpoint, or the folder that "
            "holds the trainings of all folds (rogseg train CONFIG --fold all)"
        )
    unfinished = sorted(path.parent.name for path in found.values() if not (path.parent / FINISHED).is_file())
    if unfinished:
        raise ValueError(
            f"{folder}: the training of {', '.join(unfinished)} has not come to its end: go on with it by --resume, or "
            "move it away"
        )
    return dict(sorted(found.items()))


def united_lineage(lineages: Sequence[Lineage | None]) -> Lineage | None:
    """What an ensemble has seen: all that any of its networks has; None where one of them does not say."""
    known = [lineage for lineage in lineages if lineage is not None]
    if len(known) < len(lineages) or not known:
        return None

    def all_of(name: str) -> tuple[str, ...]:
        return tuple(sorted({case for lineage in known for case in getattr(lineage, name)}))

    training, selection = all_of("training"), all_of("selection")
    inherited = united(lineage.inherited for lineage in known)
    seen = {*training, *selection, *inherited.get(known[0].task, ())}
    return dataclasses.replace(
        known[0],
        training=training,
        selection=selection,
        validation=tuple(case for case in all_of("validation") if case not in seen),
        inherited=inherited,
        is_start_known=all(lineage.is_start_known for lineage in known),
    )
