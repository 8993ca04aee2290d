"""``rogseg attack``: one attack on the cases of a task, on record."""

import argparse
from pathlib import Path

from rogseg.argument_parser import inside, whole
from rogseg.commands import add_attack_arguments, add_case_arguments, add_run_arguments, add_system_argument

DESCRIPTION = "Attack a system case by case and report what is left of its Dice."
EPILOG = "Run it again with the same arguments after an interruption: finished cases are not attacked again."
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The system, the attack, the cases, and where records go."""
    add_system_argument(parser)
    add_attack_arguments(parser)
    parser.add_argument("--protocol", choices=["volume", "patch"], default="volume", help="default: volume")
    parser.add_argument("--out", type=Path, help="folder of the records (default: work_dirs/attacks/CHECKPOINT/ATTACK)")
    add_case_arguments(parser)
    parser.add_argument("--shard", default="1/1", help="K/N: attack every N-th case from the K-th on")
    parser.add_argument(
        "--keep-volumes", type=whole(0), default=2, metavar="N", help="cases kept for the report's viewer; default: 2"
    )
    parser.add_argument(
        "--max-passes",
        type=whole(1),
        metavar="N",
        help="stop the search in a case at an epsilon after N passes, forward and backward, with what it has found",
    )
    parser.add_argument(
        "--max-minutes",
        type=inside(0),
        metavar="M",
        help="the same after M minutes, so that the result depends on the machine",
    )
    parser.add_argument(
        "--surrogate",
        nargs="+",
        help="another system, which the volumes are made on; their files are given to SYSTEM. A file of weights alone "
        "is of the config of SYSTEM with its --cfg-options, which hold for no other surrogate",
    )
    parser.add_argument(
        "--save-adversarial", action="store_true", help="write adversarial volumes as raw files, and score those, too"
    )
    add_run_arguments(parser)


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
