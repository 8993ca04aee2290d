"""``rogseg transfer``: adversarial volumes of each network, given to each."""

import argparse
from pathlib import Path

from rogseg.commands import add_attack_arguments, add_few_cases_arguments, add_trust_argument

DESCRIPTION = "Make adversarial volumes on each of several systems, give them to each, and report the matrix."
EPILOG = (
    "Volumes go from one system to another as raw files, which each prepares itself, and everything is scored in the "
    "grid of the files. Run it again with the same arguments after an interruption: what is finished is kept."
)
IF_INTERRUPTED = "stopped; the same command goes on after the last finished case"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The systems, the attack, the cases, and where records go."""
    parser.add_argument(
        "systems",
        nargs="+",
        metavar="[NAME=]SYSTEM",
        help="as for every command, with a comma between a config and its checkpoint: "
        "rog_freeat_hippocampus_light, mine=config.py,best.pth, nnunet=/path/to/folder",
    )
    add_attack_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of records, volumes and report")
    parser.add_argument("--data", type=Path, help="raw cases (default: data_root/TASK of the first config)")
    parser.add_argument("--task", type=Path, help="folder of the stored task, for configs that have no plan")
    parser.add_argument("--cases", nargs="+", help="case ids; default: the validation part of the fold of the first")
    add_few_cases_arguments(parser)
    parser.add_argument(
        "--allow-seen", action="store_true", help="report on cases that a system was trained on, too, labelled so"
    )
    add_trust_argument(parser)
    parser.add_argument("--device", help="cpu or cuda; default: the config's, else cuda where there is one")


def run(options: argparse.Namespace) -> None:
    """Attack, give, score and report."""
    from rogseg.engine.attacking.transfer_command import TransferOptions, transfer_between
    from rogseg.report import write_report
    from rogseg.shipped_configs import find_config

    arguments = vars(options)
    systems, out = arguments.pop("systems"), arguments.pop("out")
    arguments["attack"] = find_config(options.attack, "attack")
    folders = transfer_between(systems, out, TransferOptions(**arguments))
    written = write_report(_by_system(out, list(folders)), out)
    print(f"report: {written.page}")


def _by_system(out: Path, pairs: list[tuple[str, str]]) -> dict[str, list[Path]]:
    """The folders of records of each system: the attack on it, where there was one, and what others' volumes do."""
    by_system: dict[str, list[Path]] = {}
    for target in dict.fromkeys(target for _, target in pairs):
        sources = [source for source, other in pairs if other == target]
        own = [out / target / "attack"] if target in sources else []
        by_system[target] = [*own, *(out / source / f"on_{target}" for source in sources)]
    return by_system
