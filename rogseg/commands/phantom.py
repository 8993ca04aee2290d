"""``rogseg phantom``: a task of generated volumes."""

import argparse
from pathlib import Path

from rogseg.argument_parser import whole

TAKEN = ("kind", "channels", "labels", "spacing", "shape")  # what --like takes from a task
DESCRIPTION = "Generate a task of CT-like or MR-like phantoms in the layout of the MSD."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and what the phantoms are like."""
    parser.add_argument("out", type=Path, help="folder to write, for instance data/raw/Task90_Phantom")
    parser.add_argument("--kind", choices=["ct", "mr"], help="default: ct")
    parser.add_argument("--like", metavar="TASK", help="kind, channels, labels, spacing and size of a task, e.g. liver")
    parser.add_argument("--shape", type=int, nargs=3, metavar="N", help="default: 64 64 40")
    parser.add_argument("--spacing", type=float, nargs=3, metavar="MM", help="default: that of the kind")
    parser.add_argument("--channels", type=int, help="default: 1 for ct, 2 for mr")
    parser.add_argument(
        "--labels", type=int, nargs="+", metavar="VALUE", help="organ, lesion, further organs; default: 1 2"
    )
    parser.add_argument("--training", type=int, default=12, help="number of labelled cases")
    parser.add_argument("--test", type=int, default=2, help="number of unlabelled cases")
    parser.add_argument("--seed", type=whole(0), default=0)


def run(options: argparse.Namespace) -> None:
    """Generate, and say what there is."""
    from rogseg.sources import PhantomTask, phantom_modalities, write_phantom_task

    modalities = None if options.like is None else _take_after(options, options.like)
    if options.channels is not None:
        modalities = phantom_modalities(options.kind or "ct", options.channels)
    task = PhantomTask(
        kind=options.kind or "ct",
        shape=tuple(options.shape or (64, 64, 40)),
        spacing=None if options.spacing is None else tuple(options.spacing),
        modalities=modalities,
        label_values=tuple(options.labels or (1, 2)),
        num_training=options.training,
        num_test=options.test,
        seed=options.seed,
    )
    print(f"{write_phantom_task(options.out, task)}: {options.training} training and {options.test} test cases")


def _take_after(options: argparse.Namespace, name: str) -> tuple[str, ...]:
    """Kind, labels, spacing and size of a task whose plan comes with rogseg.

    Returns:
        What the task calls its channels.

    Raises:
        ValueError: there is no such plan, or something that it says is said otherwise.
    """
    from rogseg.command_line import nearest
    from rogseg.foreign import read_json
    from rogseg.shipped_configs import shipped_plans
    from rogseg.task_plan import TaskPlan

    plans = {path.stem: path for path in sorted(shipped_plans().glob("*.json"))}
    given = [f"--{key}" for key in TAKEN if getattr(options, key) is not None]
    if given:
        raise ValueError(f"--like {name} says by itself what {given[0]} says; leave one of them out")
    if name not in plans:
        raise ValueError(f"--like: there is no plan of {name!r}: {nearest(name, plans)}")
    plan = TaskPlan.from_json(read_json(plans[name], "get it again")["task"])
    options.kind = "ct" if plan.channels[0].modality == "CT" else "mr"
    options.labels = list(plan.label_values[1:])
    options.spacing = list(plan.spacing)
    # Somewhat larger than the window, so that there are several, as in the task.
    options.shape = [max(24, length * 5 // 4) for length in plan.window_size]
    return tuple(channel.modality for channel in plan.channels)
