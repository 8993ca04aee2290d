"""Estimates in plain words: of a config, and of hours on a cluster."""

import dataclasses
from collections.abc import Iterator, Mapping

from rich.table import Table

from rogseg.estimation.cost_estimate import CostEstimate
from rogseg.estimation.schedule import Schedule
from rogseg.estimation.sizes import format_bytes, format_size
from rogseg.estimation.training_memory import MemoryEstimate
from rogseg.estimation.volume_costs import AttackTime

__all__ = ["ClusterHours", "TaskHours", "cluster_table", "estimate_table", "format_seconds"]

Row = tuple[str, str, str]


def estimate_table(estimate: CostEstimate) -> Table:
    """What, how much, and how it is known."""
    title = f"{estimate.config}: {estimate.task}, {estimate.trainer}, patch {format_size(estimate.patch)}"
    table = Table(title=title, show_lines=False)
    table.add_column("what")
    table.add_column("estimate", justify="right")
    table.add_column("how it is known")
    for section in (_network(estimate), _memory(estimate), _time(estimate), _attack(estimate), _volume(estimate)):
        for row in section:
            table.add_row(*row)
        table.add_section()
    return table


def format_seconds(seconds: float) -> str:
    """Seconds, or minutes or hours where there are at least two: ``0.123 s``, ``8.8 min``, ``1,367 h``."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            number = seconds / length
            return f"{number:,.0f} {unit}" if number >= 1000 else f"{number:.1f} {unit}"
    return f"{seconds:.3g} s"


def _network(estimate: CostEstimate) -> Iterator[Row]:
    yield "parameters", f"{estimate.num_parameters:,}", "counted"
    yield "forward pass of a patch", f"{estimate.macs / 1e9:.3f} GMAC", "multiply-accumulates, counted"


def _memory(estimate: CostEstimate) -> Iterator[Row]:
    state = estimate.memory[0].needed.state
    yield "weights, gradients, optimizer", format_bytes(state), "counted; on any device"
    for memory in estimate.memory:
        patch = memory.needed.patch
        yield (
            f"{memory.place}: activations of a patch",
            format_bytes(patch.total),
            f"{format_bytes(patch.saved)} kept for backward, {format_bytes(patch.transient)} beside them; "
            + _memory_source(estimate, memory),
        )
        batch = estimate.batch_size
        yield f"{memory.place}: training at batch {batch}", format_bytes(memory.needed.of_batch(batch)), "the sum"
        yield _largest_batch(memory)


def _memory_source(estimate: CostEstimate, memory: MemoryEstimate) -> str:
    if memory.place == "GPU":
        precision = f" in float32, {estimate.precision} takes less" if estimate.precision else ""
        return f"counted from shapes{precision}; CUDA context and cuDNN's scratch memory come on top"
    if memory.counted_at == estimate.patch:
        return "counted in one pass; the process itself and scratch memory come on top"
    return (
        f"counted on {format_size(memory.counted_at)}, scaled by voxels; the process itself and scratch memory "
        "come on top"
    )


def _largest_batch(memory: MemoryEstimate) -> Row:
    if memory.budget is None:
        return f"{memory.place}: largest batch", "?", "no memory is known: pass --gpu-memory, for instance 12GB"
    largest = memory.needed.largest_batch(memory.budget)
    source = f"{format_bytes(memory.budget)}: {memory.budget_source}"
    if not largest:
        return f"{memory.place}: largest batch", "none fits", source
    return f"{memory.place}: largest batch", f"at most {largest}", source


def _time(estimate: CostEstimate) -> Iterator[Row]:
    calibration, device = estimate.calibration, f"on {estimate.device}"
    seconds = calibration.at(estimate.patch)
    timed = f"median of {calibration.rounds}, {device}"
    if calibration.size != estimate.patch:
        timed = f"timed on {format_size(calibration.size)}, scaled by voxels; {timed}"
    yield "forward pass of a patch", format_seconds(seconds.forward), timed
    yield "input gradient of a patch", format_seconds(seconds.input_gradient), "the same"
    yield "training step of a patch", format_seconds(seconds.training_step), "the same"
    training = estimate.training
    if training is None:
        yield "an epoch", "?", "the number of training cases is not known: pass --task with the stored task"
        return
    yield (
        "an epoch",
        format_seconds(training.seconds_per_epoch),
        f"{training.num_iterations} mini-batches of {estimate.batch_size}, {device}; without validation and loading",
    )
    notes = [f"{training.num_epochs} epochs"]
    if estimate.may_stop_early:
        notes.append("the schedule may stop sooner")
    if estimate.starts_from_stage:
        notes.append("without the training that it starts from")
    yield "the whole training", format_seconds(3600 * training.hours), ", ".join(notes)


def _attack(estimate: CostEstimate) -> Iterator[Row]:
    name = f"{estimate.attack}, protocol patch"
    yield f"{name}: a case", format_seconds(estimate.patch_attack.seconds), _passes(estimate, estimate.patch_attack)
    if estimate.volume is None:
        yield (
            f"{estimate.attack}, protocol volume: a case",
            "?",
            "the size of a volume is not known: pass --volume, for instance 512x512x300, or --task",
        )
        return
    attack = estimate.volume.attack
    name = f"{estimate.attack}, protocol volume"
    yield f"{name}: a case", format_seconds(attack.seconds), _passes(estimate, attack)


def _passes(estimate: CostEstimate, attack: AttackTime) -> str:
    passes = attack.passes
    windows = "1 window" if passes.windows == 1 else f"{passes.windows} windows"
    copies = "" if passes.copies == 1 else f", each in {passes.copies} mirrored copies"
    return (
        f"{passes.num_forward} forward and {passes.num_backward} backward passes over {windows} of "
        f"{format_size(estimate.window)}{copies}, one epsilon, on {estimate.device}"
    )


def _volume(estimate: CostEstimate) -> Iterator[Row]:
    if estimate.volume is None:
        return
    volume = estimate.volume
    size = f"{format_size(volume.size)} ({volume.source})"
    yield "a volume in inference", format_bytes(volume.memory.inference), f"{size}, besides the work on one window"
    yield "a volume with its gradient", format_bytes(volume.memory.gradient), "the same; what attacks keep comes on top"


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
