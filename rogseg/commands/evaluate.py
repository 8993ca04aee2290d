"""``rogseg evaluate``: from a system and a folder of cases to a report."""

import argparse
from pathlib import Path

from rogseg.argument_parser import inside, whole
from rogseg.commands import add_keys, add_system_argument

DESCRIPTION = "Accuracy, attacks and corruptions that fit a time, sanity checks and a report, of any system."
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not done again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, its cases, the time, and where the report goes."""
    add_system_argument(parser)
    parser.add_argument("--data", type=Path, help="folder of raw cases in the layout of the MSD or of nnU-Net")
    parser.add_argument("--task", type=Path, help="folder of the stored task, for a network of ours")
    parser.add_argument("--minutes", type=inside(0), default=60, help="for everything; default: 60")
    parser.add_argument("--out", type=Path, required=True, help="folder of the records and of report.html")
    parser.add_argument("--protocol", choices=["volume", "patch"], default="volume", help="default: volume")
    parser.add_argument("--cases", nargs="+", help="case ids; default: the validation cases of the fold")
    parser.add_argument("--seed", type=whole(0), default=0, help="of the attacks")
    parser.add_argument("--case-seed", type=whole(0), default=0, help="of which cases are taken where not all fit")
    parser.add_argument("--device", help="cpu or cuda; default: the config's, else cuda where there is one")
    parser.add_argument(
        "--allow-seen", action="store_true", help="report on cases that the system was trained on, too, labelled so"
    )
    add_keys(parser, "--cfg-options", "override keys of the config or folder")


def run(options: argparse.Namespace) -> None:
    """Evaluate and report."""
    from rogseg.engine.evaluating import evaluate_system

    evaluate_system(**vars(options))
