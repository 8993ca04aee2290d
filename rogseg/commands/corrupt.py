"""``rogseg corrupt``: what scanners do to images, and what a system makes of it."""

import argparse
from pathlib import Path

from rogseg.argument_parser import whole
from rogseg.commands import add_few_cases_arguments, add_run_arguments, add_system_argument

DESCRIPTION = "Corrupt cases as scanners do, by severity, and report what is left of a system's accuracy."
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not done again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the corruptions, the cases, and where records go."""
    add_system_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of records, table and figure")
    parser.add_argument(
        "--corruption", nargs="+", metavar="NAME", help="default: all that apply to the system's images"
    )
    parser.add_argument("--severity", nargs="+", type=whole(1, 5), metavar="N", help="of 1 to 5; default: all")
    parser.add_argument(
        "--calibrate",
        metavar="ssim=VALUES",
        help="instead of the table's parameters those that reach these similarities, for instance ssim=0.95,0.9,0.8",
    )
    parser.add_argument(
        "--modality", choices=["CT", "MR", "other"], help="of the images, where the names of the channels do not say it"
    )
    parser.add_argument("--cases", nargs="+", default=["validation"], help="validation (default) or case ids")
    add_few_cases_arguments(parser)
    parser.add_argument("--shard", default="1/1", help="K/N: do every N-th case from the K-th on")
    parser.add_argument("--data", "--raw", type=Path, help="folder of the raw task (default: data_root/TASK)")
    parser.add_argument("--task", type=Path, help="folder of the stored task (default: stored_root/TASK)")
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="DIR",
        help="records of another system, which this one's errors are told as a share of",
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="of the corruptions")
    add_run_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Corrupt, segment and report."""
    from rogseg.engine.corrupting.corrupt_command import corrupt_system

    corrupt_system(**vars(options))
