"""The plans that a file of weights has: that of its training, and the one with its choice of post-processing."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rogseg.inference import with_postprocessing
from rogseg.models.checkpoints import read_checkpoint, recorded_lineage
from rogseg.task_plan import TaskPlan

__all__ = [
    "RECORDED_PLAN",
    "common_postprocessing",
    "plan_for_weights",
    "plan_path",
    "recorded_choice",
    "recorded_plan",
    "trained_plan",
]

RECORDED_PLAN = "recorded_plan"  # key of a checkpoint's meta: the plan with its choice, where the file itself has it

# What the weights depend on: the meaning of their inputs and outputs, and the grid that they know.
OF_WEIGHTS = ("name", "channels", "label_values", "class_names", "spacing", "strides")


def plan_path(checkpoint: str | Path) -> Path:
    """Where the choice for a checkpoint is recorded: ``best.plan.json`` beside ``best.pth``."""
    return Path(checkpoint).with_suffix(".plan.json")


def recorded_choice(checkpoint: Mapping[str, Any], path: str | Path) -> TaskPlan | None:
    """The plan recorded for a checkpoint: the one beside it, which is the later, else the one in it; None without both.

    Args:
        checkpoint: what `read_checkpoint` gave.
        path: its file.

    Raises:
        ValueError: what is recorded is no plan.
    """
    if plan_path(path).is_file():
        return TaskPlan.load(plan_path(path))
    return _plan_of(checkpoint["meta"].get(RECORDED_PLAN), path)


def recorded_plan(checkpoint: Mapping[str, Any], path: str | Path, plan: TaskPlan) -> TaskPlan:
    """The same, or ``plan`` where there is none.

    Raises:
        ValueError: the recorded plan is none, or of another task or geometry.
    """
    recorded = recorded_choice(checkpoint, path)
    if recorded is None:
        return plan
    if recorded.orientation is None:  # from before plans had one
        recorded = dataclasses.replace(recorded, orientation=plan.orientation)
    if with_postprocessing(recorded, ()) != with_postprocessing(plan, ()):
        beside = plan_path(path)
        where, remedy = f"{path}: the plan in it", ""
        if beside.is_file():
            where, remedy = f"{beside}: it", ", or delete this file to go without its choice"
        raise ValueError(
            f"{where} differs from the config's plan in more than post-processing: give the config that the "
            f"checkpoint was trained with{remedy}"
        )
    return recorded


def plan_for_weights(checkpoint: Mapping[str, Any], path: str | Path, plan: TaskPlan) -> TaskPlan:
    """Compare the plan that a network was trained for with the one that it is to be used with.

    Args:
        checkpoint: what `read_checkpoint` gave.
        path: its file.
        plan: of the config, which is that of the stored task.

    Returns:
        ``plan``, with the orientation of the training's volumes where it has none itself.

    Raises:
        ValueError: they differ in what the weights depend on; the message names it.
    """
    trained = _plan_in(checkpoint, path)
    if trained is None:
        return plan
    if plan.orientation is None:
        plan = dataclasses.replace(plan, orientation=trained.orientation)
    for attribute in OF_WEIGHTS if trained.orientation is None else (*OF_WEIGHTS, "orientation"):
        here, there = getattr(plan, attribute), getattr(trained, attribute)
        if here != there:
            raise ValueError(
                f"{path}: was trained for {attribute} {there}, and the task at hand has {here}: its outputs would mean "
                "nothing here. Give the config that it was trained with, or preprocess the raw data with the plan of "
                "that config (rogseg preprocess RAW --out FOLDER --plan PLAN)"
            )
    return plan


def trained_plan(checkpoint: str | Path) -> TaskPlan | None:
    """The plan that a file of weights was trained for; None where it does not say, or is the folder of several.

    Raises:
        ValueError: it cannot be read, or what it says is no plan.
    """
    return None if Path(checkpoint).is_dir() else _plan_in(read_checkpoint(checkpoint), checkpoint)


def _plan_in(checkpoint: Mapping[str, Any], path: str | Path) -> TaskPlan | None:
    lineage = recorded_lineage(checkpoint, path)
    return _plan_of(checkpoint["meta"].get("task") if lineage is None else lineage.plan, path)


def _plan_of(recorded: Any, path: str | Path) -> TaskPlan | None:
    try:
        return None if recorded is None else TaskPlan.from_json(recorded)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: not a checkpoint: the plan in it is none ({error})") from error


def common_postprocessing(plans: Sequence[TaskPlan]) -> TaskPlan:
    """The plan of networks that differ in nothing but their choice of post-processing: a class that all chose."""
    chosen = [
        index for index in range(1, plans[0].num_classes) if all(plan.classes[index - 1].postprocess for plan in plans)
    ]
    return with_postprocessing(plans[0], chosen)
