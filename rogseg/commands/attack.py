"""``rogseg attack``: one attack on the cases of a task, on record."""

import argparse
from pathlib import Path

DESCRIPTION = "Attack a trained network case by case and report what is left of its Dice."
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not attacked again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The network, the attack, the cases, and where records go."""
    parser.add_argument("config", help="a file, a name such as rog_standard_liver, or a network of the model zoo")
    parser.add_argument("checkpoint", nargs="?", help="its weights; a network of the model zoo brings its own")
    parser.add_argument("--attack", required=True, help="config of the attack: a file, or a name such as apgd_ce")
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


def run(options: argparse.Namespace) -> None:
    """Attack and report."""
    from rogseg.engine.attacking.attack_checkpoint import attack_checkpoint
    from rogseg.engine.model.model_zoo import config_and_checkpoint
    from rogseg.shipped_configs import find_config

    options.config, options.checkpoint = config_and_checkpoint(options.config, options.checkpoint)
    options.attack = find_config(options.attack, "attack")
    attack_checkpoint(**vars(options))
