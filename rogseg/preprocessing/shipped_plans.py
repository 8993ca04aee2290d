"""Which plan a raw task is preprocessed with; the ten MSD tasks have one that comes with the project."""

from pathlib import Path

from rogseg.task_plan import TaskPlan

__all__ = ["choose_plan", "find_shipped_plan"]


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


def choose_plan(raw_dir: str | Path, plan_file: str | Path | None, shipped: str | Path) -> tuple[TaskPlan | None, str]:
    """The plan in ``plan_file``, else the shipped one, else None (one is made from the data), and where it is from.

    Raises:
        ValueError: the file holds no plan.
    """
    if plan_file is not None:
        return TaskPlan.load(plan_file), str(plan_file)
    plan = find_shipped_plan(Path(raw_dir).absolute().name, shipped)
    if plan is None:
        return None, "made from these data"
    return (
        plan,
        f"the shipped one of {plan.name}, with the published numbers for window, mean and std of the intensities",
    )
