"""``rogseg harden``: a trained system of any framework, fine-tuned under attack and written back in its own format."""

import argparse
from pathlib import Path

from rogseg.argument_parser import inside, whole
from rogseg.commands import add_keys, add_system_argument

DESCRIPTION = "Fine-tune a trained system under attack and write it back in its own format."
EPILOG = (
    "Cases of the fold's validation part have no part in it: rogseg attack OUT --data FOLDER reports on them. A "
    "network of rogseg is trained further by rogseg train."
)
IF_INTERRUPTED = "stopped; the same command goes on from the end of the last epoch, if one was done"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the cases, how it is trained, and where the result goes."""
    add_system_argument(parser)
    parser.add_argument("--data", type=Path, required=True, help="labelled raw cases, in the layout of MSD or nnU-Net")
    parser.add_argument("--out", type=Path, required=True, help="folder of the hardened system; no other may lie there")
    parser.add_argument(
        "--minutes",
        type=inside(0),
        default=60.0,
        help="for everything but reading the cases; default: 60, for all folds",
    )
    parser.add_argument(
        "--trainer",
        default="free",
        help="free (default), seat, pgd, n_fgsm, trades, mart, or standard, which fine-tunes on clean cases",
    )
    add_keys(parser, "--trainer-options", "its arguments, e.g. num_replays=3")
    parser.add_argument("--epsilon", default="8/255", help="fraction of the width of each case's box; default: 8/255")
    parser.add_argument("--learning-rate", type=inside(0), default=1e-3, help="at its highest; default: 0.001")
    parser.add_argument("--batch-size", type=whole(1), default=2, help="patches per mini-batch; default: 2")
    parser.add_argument(
        "--fold", type=whole(0), default=0, help="of the data, whose validation part is kept; default: 0"
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="of everything random")
    parser.add_argument("--device", help="cpu or cuda; default: the config's, else cuda where there is one")
    add_keys(parser, "--cfg-options", "of a folder, e.g. folds=0 of an nnU-Net")


def run(options: argparse.Namespace) -> None:
    """Harden."""
    from rogseg.engine.attacking.settings import parse_epsilon
    from rogseg.engine.hardening.harden import harden_system

    options.epsilon = parse_epsilon(options.epsilon)
    harden_system(**vars(options))
