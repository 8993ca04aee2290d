"""Segment cases with a trained network; measure Dice, NSD and HD95 in the raw grid where there are labels."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Run it again with the same arguments after an interruption: finished cases are not done again.",
    )
    parser.add_argument("config", help="config of the network, for instance configs/rog/rog_standard_liver.py")
    parser.add_argument("checkpoint", help="its weights")
    parser.add_argument("--out", type=Path, required=True, help="folder of predictions, records and tables")
    parser.add_argument(
        "--cases", nargs="+", default=["validation"], help="validation (default), test, all (both), or case ids"
    )
    parser.add_argument("--images", type=Path, help="a plain folder of NIfTI files to predict instead")
    parser.add_argument("--raw", type=Path, help="folder of the raw task (default: data_root/TASK of the config)")
    parser.add_argument("--task", type=Path, help="folder of the stored task (default: stored_root/TASK)")
    parser.add_argument("--submission", action="store_true", help="predict the test cases and pack them for the MSD")
    parser.add_argument(
        "--choose-postprocessing",
        action="store_true",
        help="first find out on the cases that selected the checkpoint which class it helps; recorded beside it",
    )
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = vars(build_parser().parse_args(arguments))
    from rogseg.engine.testing.evaluate_checkpoint import evaluate_checkpoint

    again = "stopped; the same command goes on after the last finished case"
    return exit_status("test.py", partial(evaluate_checkpoint, **options), again)


if __name__ == "__main__":
    sys.exit(main())
