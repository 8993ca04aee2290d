"""Tell what a training and an attack will cost in memory and time, before running either."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rogseg.command_line import exit_status

DEFAULT_ATTACK = Path(__file__).resolve().parents[1] / "configs" / "attack" / "apgd_ce.py"


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Needs no data and no checkpoint. Seconds are those of the device that it runs on.",
    )
    parser.add_argument("config", help="config of the network, for instance configs/rog/rog_standard_liver.py")
    parser.add_argument("--task", type=Path, help="folder of the stored task: its plan, cases and their sizes")
    parser.add_argument(
        "--gpu-memory", metavar="12GB", help="of the GPU to plan for; default: what is free on this one"
    )
    parser.add_argument("--volume", metavar="512x512x300", help="size of a volume; default: the stored cases' median")
    parser.add_argument(
        "--attack", type=Path, default=DEFAULT_ATTACK, help="config of the attack (default: apgd_ce.py)"
    )
    parser.add_argument(
        "--attack-options", nargs="+", default=[], metavar="KEY=VALUE", help="e.g. attack.num_iterations=5"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="longest calibration (default: 60)")
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = vars(build_parser().parse_args(arguments))
    from rogseg.engine.estimation.estimate_costs import estimate_costs

    return exit_status("estimate.py", partial(estimate_costs, **options))


if __name__ == "__main__":
    sys.exit(main())
