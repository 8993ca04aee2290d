"""``rogseg test``: predictions and their accuracy."""

import argparse
from pathlib import Path

from rogseg.commands import add_system_argument, add_worker_arguments

DESCRIPTION = "Segment cases with a system; measure Dice, NSD and HD95 in the raw grid where there are labels."
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not done again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the cases, and where results go."""
    add_system_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of predictions, records and tables")
    parser.add_argument(
        "--cases", nargs="+", default=["validation"], help="validation (default), test, all (both), or case ids"
    )
    parser.add_argument("--images", type=Path, help="a plain folder of NIfTI files to predict instead")
    parser.add_argument(
        "--data", "--raw", type=Path, help="folder of the raw task (default: data_root/TASK of the config)"
    )
    parser.add_argument("--task", type=Path, help="folder of the stored task (default: stored_root/TASK)")
    parser.add_argument(
        "--allow-seen", action="store_true", help="report on cases that the system was trained on, too, labelled so"
    )
    parser.add_argument("--submission", action="store_true", help="predict the test cases and pack them for the MSD")
    parser.add_argument(
        "--choose-postprocessing",
        action="store_true",
        help="first find out on the cases that selected the checkpoint which class it helps; recorded beside it",
    )
    add_worker_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")


def run(options: argparse.Namespace) -> None:
    """Predict and measure."""
    from rogseg.engine.accuracy.segment_command import segment_cases

    segment_cases(**vars(options))
