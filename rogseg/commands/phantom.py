"""``rogseg phantom``: a task of generated volumes."""

import argparse
from pathlib import Path

DESCRIPTION = "Generate a task of CT-like or MR-like phantoms in the layout of the MSD."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and what the phantoms are like."""
    parser.add_argument("out", type=Path, help="folder to write, for instance data/raw/Task90_Phantom")
    parser.add_argument("--kind", choices=["ct", "mr"], default="ct")
    parser.add_argument("--shape", type=int, nargs=3, default=[64, 64, 40], metavar="N", help="default: 64 64 40")
    parser.add_argument("--spacing", type=float, nargs=3, metavar="MM", help="default: that of the kind")
    parser.add_argument("--channels", type=int, help="default: 1 for ct, 2 for mr")
    parser.add_argument(
        "--labels", type=int, nargs="+", default=[1, 2], metavar="VALUE", help="organ, lesion, further organs"
    )
    parser.add_argument("--training", type=int, default=12, help="number of labelled cases")
    parser.add_argument("--test", type=int, default=2, help="number of unlabelled cases")
    parser.add_argument("--seed", type=int, default=0)


def run(options: argparse.Namespace) -> None:
    """Generate, and say what there is."""
    from rogseg.sources import PhantomTask, write_phantom_task

    task = PhantomTask(
        kind=options.kind,
        shape=tuple(options.shape),
        spacing=None if options.spacing is None else tuple(options.spacing),
        num_channels=options.channels,
        label_values=tuple(options.labels),
        num_training=options.training,
        num_test=options.test,
        seed=options.seed,
    )
    print(f"{write_phantom_task(options.out, task)}: {options.training} training and {options.test} test cases")
