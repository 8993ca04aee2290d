"""``rogseg certify``: what no perturbation inside a radius can change, on record."""

import argparse
from pathlib import Path

from rogseg.commands import add_system_argument, add_worker_arguments

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
        type=float,
        default=[0.25, 0.5],
        help="standard deviation of the noise as a fraction of the box's width; default: 0.25 0.5",
    )
    parser.add_argument(
        "--tau",
        nargs="+",
        type=float,
        default=[0.75],
        help="share of all noisy copies that must agree; the radius is sigma times its normal quantile; default: 0.75",
    )
    parser.add_argument("--samples", type=int, default=200, help="noisy copies that are tested; default: 200")
    parser.add_argument(
        "--selection-samples", type=int, default=50, help="further copies that choose what is tested; default: 50"
    )
    parser.add_argument(
        "--alpha", type=float, default=0.001, help="chance that any statement about a case is wrong; default: 0.001"
    )
    parser.add_argument(
        "--group",
        nargs="+",
        metavar="NAME=CLASS,CLASS",
        help="classes that a voxel may fall back to, as an organ with its lesions; default: all foreground together",
    )
    parser.add_argument("--protocol", choices=["volume", "patch"], default="volume", help="default: volume")
    parser.add_argument("--out", type=Path, help="folder of the records (default: work_dirs/certificates/SYSTEM)")
    parser.add_argument("--task", type=Path, help="folder of the stored task, where the config has none")
    parser.add_argument("--cases", nargs="+", help="case ids; default: the validation cases of the fold")
    parser.add_argument("--max-cases", type=int, help="a quick look at that many cases, spread over the set")
    parser.add_argument("--shard", default="1/1", help="K/N: certify every N-th case from the K-th on")
    parser.add_argument("--data", type=Path, help="raw cases (MSD or nnU-Net layout) instead of a stored task")
    parser.add_argument(
        "--allow-seen", action="store_true", help="report on cases that the system was trained on, too, labelled so"
    )
    parser.add_argument("--batch-size", type=int, default=1, help="noisy copies per call of the network; default: 1")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--case-seed", type=int, default=0, help="of which cases --max-cases takes")
    add_worker_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")


def run(options: argparse.Namespace) -> None:
    """Certify and report."""
    from rogseg.engine.certifying.certify_command import certify_system

    certify_system(**vars(options))
