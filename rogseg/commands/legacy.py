"""``rogseg legacy``: what each fault of the released evaluation does to its numbers."""

import argparse
from pathlib import Path

from rogseg.argument_parser import whole
from rogseg.commands import add_case_arguments, add_system_argument, add_worker_arguments

DESCRIPTION = "The evaluation released with the paper, the right one, and each of its faults alone and left out."
EPILOG = (
    "Ends with a table and a figure of Dice and verdicts over the cases. Run it again with the same arguments after an "
    "interruption: finished cases are not attacked again."
)
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the cases, and where records, table and figure go."""
    add_system_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the records, the table and the figure")
    add_case_arguments(parser)
    parser.add_argument(
        "--epsilon", default="8/255", help="of the box's width, or as many network units where that fault is in"
    )
    parser.add_argument("--num-queries", type=whole(1), default=500, help="of Square as it should be; default: 500")
    parser.add_argument(
        "--protocol", choices=["volume", "patch"], default="patch", help="default: patch, as in the released code"
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="of the attacks")
    parser.add_argument("--allow-seen", action="store_true", help="use cases that the system was trained on, too")
    add_worker_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")


def run(options: argparse.Namespace) -> None:
    """Run and compare."""
    from rogseg.engine.attacking.legacy_command import compare_legacy

    compare_legacy(**vars(options))
