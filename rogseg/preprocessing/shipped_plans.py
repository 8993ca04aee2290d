"""Which plan a raw task is preprocessed with; the ten MSD tasks have one that comes with the project."""

from pathlib import Path

from rogseg.preprocessing.task_folder import kept_plan
from rogseg.storage import read_raw_task
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


def choose_plan(
    raw_dir: str | Path, plan_file: str | Path | None, shipped: str | Path, out_dir: str | Path
) -> tuple[TaskPlan | None, str]:
    """Which plan a task is preprocessed with, and where it is from.

    Args:
        raw_dir: the raw task folder.
        plan_file: what the user names, before all else.
        shipped: folder of the shipped plans.
        out_dir: folder of the stored task; what it was planned with before stays.

    Returns:
        The plan, and a phrase that says where it is from; None where one is to be made from the data.

    Raises:
        ValueError: the file holds no plan, or the shipped plan of the folder's name is for other classes than its data.
    """
    if plan_file is not None:
        return TaskPlan.load(plan_file), str(plan_file)
    kept = kept_plan(out_dir)
    if kept is not None:
        return kept, f"the one that {out_dir} was made with before (delete {Path(out_dir) / 'plan.json'} to plan anew)"
    plan = find_shipped_plan(Path(raw_dir).absolute().name, shipped)
    if plan is None:
        return None, "made from these data"
    _check_names(plan, raw_dir)
    return (
        plan,
        f"the shipped one of {plan.name}, with the published numbers for window, mean and std of the intensities",
    )


def _check_names(plan: TaskPlan, raw_dir: str | Path) -> None:
    raw_task = read_raw_task(raw_dir)
    theirs = {name.casefold() for value, name in raw_task.labels.items() if value != 0}
    ours = {name.casefold() for name in plan.class_names}
    if theirs != ours:
        raise ValueError(
            f"{raw_task.directory}: is called as a task of the MSD, whose classes are {sorted(ours)}, but its labels "
            f"are {sorted(theirs)}: rename the folder, or name a plan with --plan"
        )
