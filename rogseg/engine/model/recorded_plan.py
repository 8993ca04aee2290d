"""The plan that was recorded beside a checkpoint, with its choice of post-processing."""

from pathlib import Path

from rogseg.inference import with_postprocessing
from rogseg.task_plan import TaskPlan

__all__ = ["plan_path", "recorded_plan"]


def plan_path(checkpoint: str | Path) -> Path:
    """Where the choice for a checkpoint is recorded: ``best.plan.json`` beside ``best.pth``."""
    return Path(checkpoint).with_suffix(".plan.json")


def recorded_plan(checkpoint: str | Path, plan: TaskPlan) -> TaskPlan:
    """The plan recorded beside a checkpoint, or ``plan`` where there is none.

    Raises:
        ValueError: the recorded plan is of another task or geometry.
    """
    path = plan_path(checkpoint)
    if not path.is_file():
        return plan
    recorded = TaskPlan.load(path)
    if with_postprocessing(recorded, ()) != with_postprocessing(plan, ()):
        raise ValueError(
            f"{path}: it differs from the config's plan in more than post-processing: give the config that the "
            "checkpoint was trained with, or delete this file to go without its choice"
        )
    return recorded
