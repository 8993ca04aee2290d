"""``rogseg certify``: what no perturbation inside a radius can change, on record."""

import argparse
from pathlib import Path

from rogseg.argument_parser import inside, whole
from rogseg.commands import add_case_arguments, add_run_arguments, add_system_argument

DESCRIPTION = "Prove case by case what no perturbation inside a radius can change, of the smoothed system."
EPILOG = (
    "Certified is the system that lets noisy copies of a volume vote, not the system itself; a network that was never "
    "trained with noise certifies little. Run it again with the same arguments after an interruption: it goes on "
    "inside the case. Further --sigma and --tau are added to the same records."
)
IF_INTERRUPTED = "stopped; the same command goes on where it was, inside the case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the noise, the cases, and where records go."""
    add_system_argument(parser)
    parser.add_argument(
        "--sigma",
        nargs="+",
        type=inside(0),
        default=[0.25, 0.5],
        help="standard deviation of the noise as a fraction of the box's width; default: 0.25 0.5",
    )
    parser.add_argument(
        "--tau",
        nargs="+",
        type=inside(0.5, 1),
        default=[0.75],
        help="share of all noisy copies that must agree; the radius is sigma times its normal quantile; default: 0.75",
    )
    parser.add_argument(
        "--samples", type=whole(1, 65_535), default=200, help="noisy copies that are tested; default: 200"
    )
    parser.add_argument(
        "--selection-samples",
        type=whole(1, 65_535),
        default=50,
        help="further copies that choose what is tested; default: 50",
    )
    parser.add_argument(
        "--alpha",
        type=inside(0, 1),
        default=0.001,
        help="chance that any statement about a case is wrong; default: 0.001",
    )
    parser.add_argument(
        "--group",
        nargs="+",
        action="extend",
        metavar="NAME=CLASS,CLASS",
        help="classes that a voxel may fall back to, as an organ with its lesions; default: all foreground together",
    )
    parser.add_argument("--protocol", choices=["volume", "patch"], default="volume", help="default: volume")
    parser.add_argument("--out", type=Path, help="folder of the records (default: work_dirs/certificates/SYSTEM)")
    add_case_arguments(parser)
    parser.add_argument("--shard", default="1/1", help="K/N: certify every N-th case from the K-th on")
    parser.add_argument(
        "--batch-size", type=whole(1), default=1, help="noisy copies per call of the network; default: 1"
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="of the noise")
    add_run_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Certify and report."""
    from rogseg.engine.certifying.certify_command import certify_system

    certify_system(**vars(options))
