"""Attack a trained network case by case and report what is left of its Dice."""

import argparse
import sys
from functools import partial
from pathlib import Path

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Run it again with the same arguments after an interruption: finished cases are not attacked again.",
    )
    parser.add_argument("config", help="config of the network, for instance configs/rog/rog_standard_liver.py")
    parser.add_argument("checkpoint", help="its weights")
    parser.add_argument("--attack", required=True, help="config of the attack, see configs/attack/")
    parser.add_argument(
        "--attack-options", nargs="+", default=[], metavar="KEY=VALUE", help="e.g. attack.num_iterations=5"
    )
    parser.add_argument("--epsilon", nargs="+", help="fractions of the box's width, for instance 4/255 8/255 0.1")
    parser.add_argument("--protocol", choices=["volume", "patch"], default="volume", help="default: volume")
    parser.add_argument("--out", type=Path, help="folder of the records (default: work_dirs/attacks/CHECKPOINT/ATTACK)")
    parser.add_argument("--task", type=Path, help="folder of the stored task, where the config has none")
    parser.add_argument("--cases", nargs="+", help="case ids; default: the validation cases of the fold")
    parser.add_argument("--max-cases", type=int, help="a quick look at that many cases, spread over the set")
    parser.add_argument("--shard", default="1/1", help="K/N: attack every N-th case from the K-th on")
    parser.add_argument("--surrogate", help="weights of another network: do attacks transfer from it?")
    parser.add_argument("--save-adversarial", action="store_true", help="write perturbations and predictions as NIfTI")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = vars(build_parser().parse_args(arguments))
    from rogseg.engine.attacking.attack_checkpoint import attack_checkpoint

    again = "stopped; the same command goes on after the last finished case"
    return exit_status("attack.py", partial(attack_checkpoint, **options), again)


if __name__ == "__main__":
    sys.exit(main())
