"""The plans of the ten MSD tasks that come with the project."""

from pathlib import Path

from rogseg.task_plan import TaskPlan

__all__ = ["find_shipped_plan"]


def find_shipped_plan(task_name: str, folder: str | Path) -> TaskPlan | None:
    """The plan in ``folder/<short name>.json`` for a task such as ``Task04_Hippocampus``, None for other tasks.

    Raises:
        ValueError: the file holds no plan of that task.
    """
    number, _, short = task_name.partition("_")
    path = Path(folder) / f"{short.lower()}.json"
    if not number.startswith("Task") or not short or not path.is_file():
        return None
    plan = TaskPlan.load(path)
    return plan if plan.name == task_name else None
