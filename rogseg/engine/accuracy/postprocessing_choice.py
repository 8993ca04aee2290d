"""Post-processing only where it helps: decided on the cases that select the checkpoint, recorded beside it."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray

from rogseg.engine.model.recorded_plan import plan_path
from rogseg.inference import postprocess_class, with_postprocessing
from rogseg.metrics import dice_per_class, mean_foreground_dice
from rogseg.storage import StoredTask, split_for_selection, write_json_atomic
from rogseg.systems import RogsegSystem, stored_case
from rogseg.task_plan import TaskPlan

__all__ = ["PostprocessingChoice", "choose_for_checkpoint", "choose_postprocessing"]

Labels = NDArray[np.uint8]


@dataclasses.dataclass(frozen=True)
class PostprocessingChoice:
    """The plan with the choice in it, and what it was made on.

    Args:
        plan: with post-processing on for the classes that it helps.
        dice: mean foreground Dice without any post-processing.
        dice_with: the same with that of one class alone, by class.
    """

    plan: TaskPlan
    dice: float
    dice_with: tuple[float, ...]


def choose_postprocessing(pairs: Iterable[tuple[Labels, Labels]], plan: TaskPlan) -> PostprocessingChoice:
    """Switch the post-processing of a class on where it alone raises the mean foreground Dice.

    Args:
        pairs: prediction before any post-processing and target, (D, H, W) class indices on the network's grid each, of
            cases that are neither trained nor reported on.
        plan: kinds and sizes of the classes.

    Raises:
        ValueError: no case has foreground.
    """
    rows = []
    for prediction, target in pairs:
        treated = [postprocess_class(prediction, plan, index) for index in range(1, plan.num_classes)]
        rows.append([_dice(labels, target, plan.num_classes) for labels in (prediction, *treated)])
    table = np.array(rows, dtype=np.float64).reshape(-1, plan.num_classes)
    # A speck where nothing belongs gives a case without foreground a Dice of 0, without it there is none: such a
    # case would be left out of one mean only.
    table = table[~np.isnan(table).any(axis=1)]
    if len(table) == 0:
        raise ValueError("none of the cases has foreground, so nothing says whether post-processing helps")
    before, *after = table.mean(axis=0).tolist()
    chosen = [index for index, dice in enumerate(after, start=1) if dice > before]
    return PostprocessingChoice(with_postprocessing(plan, chosen), before, tuple(after))


def choose_for_checkpoint(
    model: RogsegSystem, checkpoint: str | Path, stored_dir: Path, config: Config
) -> PostprocessingChoice:
    """Choose on the cases that selected the checkpoint and record the plan beside it.

    Raises:
        ValueError: the stored task is absent, or none of the cases has foreground.
    """
    stored = StoredTask(stored_dir)
    fold = stored.folds(config.fold)
    _, selection = split_for_selection(fold.train, config.selection_fraction, config.seed, fold.added)
    choice = choose_postprocessing(_predictions(model, stored, selection), model.plan)
    write_json_atomic(plan_path(checkpoint), {"task": choice.plan.to_json()})
    return choice


def _predictions(model: RogsegSystem, stored: StoredTask, case_ids: Sequence[str]) -> Iterator[tuple[Labels, Labels]]:
    for case_id in case_ids:
        case = stored.case(case_id)
        target = case.read_label()
        if target is None:
            raise ValueError(f"{case.directory}: the case has no label, so nothing can be chosen on it")
        yield model.segment_on_network_grid(stored_case(case)), target


def _dice(prediction: Labels, target: Labels, num_classes: int) -> float:
    ours, true = torch.from_numpy(prediction)[None], torch.from_numpy(target)[None]
    return float(mean_foreground_dice(dice_per_class(ours, true, num_classes))[0])
