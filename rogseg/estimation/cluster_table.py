"""Hours on a cluster in plain words."""

import dataclasses
from collections.abc import Mapping

from rich.table import Table

from rogseg.estimation.estimate_table import format_seconds
from rogseg.estimation.schedule import Schedule

__all__ = ["ClusterHours", "TaskHours", "cluster_table"]


@dataclasses.dataclass(frozen=True)
class TaskHours:
    """One task.

    Args:
        task: its name.
        num_cases: that are attacked, those of the validation part of its fold.
        sizes: where their sizes are from.
        seconds: on one device, by the name of what is done; of attacks, of all cases together.
    """

    task: str
    num_cases: int
    sizes: str
    seconds: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class ClusterHours:
    """All tasks.

    Args:
        device: that the times are of.
        tasks: each.
        schedules: of everything, by the number of devices.
    """

    device: str
    tasks: tuple[TaskHours, ...]
    schedules: Mapping[int, Schedule]


def cluster_table(hours: ClusterHours) -> Table:
    """A row per task, then one per number of devices."""
    done = list(hours.tasks[0].seconds)
    caption = (
        "A training takes one device; validation, loading and starting are left out. Attacks: on the Free AT network, "
        "at one epsilon, whole volumes, no case falls early; of Square at most so much."
    )
    table = Table(title=f"hours on {hours.device}", caption=caption, caption_justify="left")
    table.add_column("task")
    for name in done:
        table.add_column(name, justify="right")
    table.add_column("cases")
    for task in hours.tasks:
        cells = [format_seconds(task.seconds[name]) for name in done]
        table.add_row(task.task, *cells, f"{task.num_cases}, {task.sizes}")
    table.add_section()
    for number, schedule in hours.schedules.items():
        devices = "1 device" if number == 1 else f"{number} devices"
        busy = schedule.work / (number * schedule.seconds)
        table.add_row(devices, format_seconds(schedule.seconds), *[""] * (len(done) - 1), f"{busy:.0%} busy")
    any_schedule = next(iter(hours.schedules.values()))
    chain = " -> ".join(any_schedule.critical)
    table.add_row(
        "critical path", format_seconds(any_schedule.critical_seconds), *[""] * (len(done) - 1), chain, style="bold"
    )
    return table
