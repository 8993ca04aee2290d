"""``rogseg attack``: one attack on the cases of a task, on record."""

import argparse
from pathlib import Path

from rogseg.commands import add_system_argument, add_worker_arguments

DESCRIPTION = "Attack a system case by case and report what is left of its Dice."
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not attacked again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the attack, the cases, and where records go."""
    add_system_argument(parser)
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
    parser.add_argument("--data", type=Path, help="raw cases (MSD or nnU-Net layout) instead of a stored task")
    parser.add_argument(
        "--reference",
        type=Path,
        help="stored task whose plan's window is what epsilon is a fraction of, the same raw epsilon for every system",
    )
    parser.add_argument(
        "--sanity", choices=["none", "quick", "full"], default="quick", help="effort of the checks; default: quick"
    )
    parser.add_argument(
        "--allow-seen", action="store_true", help="report on cases that the system was trained on, too, labelled so"
    )
    parser.add_argument(
        "--keep-volumes", type=int, default=2, metavar="N", help="cases kept for the report's viewer; default: 2"
    )
    parser.add_argument(
        "--max-passes",
        type=int,
        metavar="N",
        help="stop the search in a case at an epsilon after N passes, forward and backward, with what it has found",
    )
    parser.add_argument(
        "--max-minutes",
        type=float,
        metavar="M",
        help="the same after M minutes, so that the result depends on the machine",
    )
    parser.add_argument(
        "--surrogate", nargs="+", help="another system, which the volumes are made on; their files are given to SYSTEM"
    )
    parser.add_argument(
        "--save-adversarial", action="store_true", help="write adversarial volumes as raw files, and score those, too"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the attack")
    parser.add_argument("--case-seed", type=int, default=0, help="of which cases --max-cases takes")
    add_worker_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="override keys of the config")


def run(options: argparse.Namespace) -> None:
    """Attack and report."""
    from rogseg.engine.attacking.attack_command import attack_system
    from rogseg.shipped_configs import find_config

    options.attack = find_config(options.attack, "attack")
    if options.surrogate is None:
        attack_system(**{key: value for key, value in vars(options).items() if key != "surrogate"})
        return
    if options.protocol != "volume":
        raise ValueError("--surrogate: its volumes are given to the system whole, so --protocol patch has no meaning")
    if options.num_workers is not None or options.cluster is not None:
        raise ValueError("--surrogate works in this process alone; leave --num-workers and --cluster out, or shard it")
    from rogseg.engine.attacking.transfer_command import TransferOptions, attack_from_surrogate

    asked = {key: value for key, value in vars(options).items() if key in TransferOptions.__dataclass_fields__}
    attack_from_surrogate(options.system, options.surrogate, options.out, TransferOptions(**asked), options.cfg_options)
