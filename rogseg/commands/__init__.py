"""The subcommands of ``rogseg``: one file each.

A file here has ``DESCRIPTION``, ``add_arguments(parser)`` and ``run(options)``; where it helps also ``EPILOG``, which
ends its ``--help``, and ``IF_INTERRUPTED``, which tells the user who stops it how to go on. It imports what is quick to
import; the rest is imported in ``run``, so that ``--help`` and a mistyped argument are answered at once.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, cast

from rogseg import __version__
from rogseg.argument_parser import CommandParser, whole
from rogseg.command_line import exit_status, nearest

__all__ = [
    "COMMANDS",
    "add_attack_arguments",
    "add_case_arguments",
    "add_few_cases_arguments",
    "add_keys",
    "add_run_arguments",
    "add_system_argument",
    "add_trust_argument",
    "add_worker_arguments",
    "command_parser",
    "fold_number",
    "given_options",
    "main",
    "run_command",
]

# In the order of ``rogseg --help``, which is the order in which they are needed.
COMMANDS = (
    "demo",
    "download",
    "phantom",
    "preprocess",
    "estimate",
    "train",
    "test",
    "attack",
    "legacy",
    "transfer",
    "corrupt",
    "certify",
    "harden",
    "evaluate",
    "report",
    "compare",
    "study",
    "zoo",
)


def add_system_argument(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """How every command that evaluates is told what; `rogseg.engine.model.open_system` reads it."""
    parser.add_argument(
        "system",
        nargs="*" if optional else "+",
        help="a network of the model zoo by its name; a config (a file, or a name such as rog_standard_liver) and its "
        "checkpoint, or the folder of the trainings of all folds, which is an ensemble; the folder of a trained "
        "nnU-Net or of a MONAI bundle; or a Python config with system = dict(type=...)",
    )
    add_trust_argument(parser)


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Whether a program that comes with a system may run."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="whoever made the bundle or the exported program may run code here; without, nothing of theirs runs",
    )


def fold_number(text: str) -> int:
    """What stands behind ``--fold``, where it is not ``all``.

    Raises:
        ValueError: it is no number.
    """
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"--fold is {text!r}: give the number of a fold, counted from 0, or all")
    return int(text)


def given_options(options: argparse.Namespace, add_arguments: Callable[[argparse.ArgumentParser], None]) -> set[str]:
    """The options of a command that are not at their default, as they are written on the command line.

    Args:
        options: as they were read, none taken out.
        add_arguments: of the command.
    """
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    named = (action for action in parser._actions if action.option_strings and action.dest in vars(options))
    return {action.option_strings[0] for action in named if getattr(options, action.dest) != action.default}


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """How every command that works case by case is told where; `rogseg.workers.open_workers` reads it."""
    parser.add_argument(
        "--num-workers",
        type=whole(1),
        metavar="N",
        help="work on so many cases at once, in processes of one thread each (default: one case, with all threads)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="do the cases on a Ray cluster, --num-workers at once: its address, or 'local' to start one here; see "
        "docs/cluster.md",
    )


def add_keys(parser: argparse.ArgumentParser, flag: str, text: str) -> None:
    """An option of settings, which may be given several times; ``text`` is its help."""
    parser.add_argument(flag, nargs="+", action="extend", default=[], metavar="KEY=VALUE", help=text)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """How every command that evaluates case by case is told on what it may report, and where it runs."""
    parser.add_argument(
        "--allow-seen", action="store_true", help="report on cases that the system was trained on, too, labelled so"
    )
    add_worker_arguments(parser)
    parser.add_argument("--device", help="cpu or cuda; default: the config's, else cuda where there is one")
    add_keys(parser, "--cfg-options", "override keys of the config")


def add_case_arguments(parser: argparse.ArgumentParser) -> None:
    """How commands that work on prepared cases are told which: stored ones, or raw ones that the system prepares."""
    parser.add_argument("--task", type=Path, help="folder of the stored task, where the config has none")
    parser.add_argument("--data", type=Path, help="raw cases (MSD or nnU-Net layout) instead of a stored task")
    parser.add_argument("--cases", nargs="+", help="case ids; default: the validation cases of the fold")
    add_few_cases_arguments(parser)


def add_few_cases_arguments(parser: argparse.ArgumentParser) -> None:
    """How a quick look is asked for; `rogseg.engine.case_selection.spread` reads it."""
    parser.add_argument("--max-cases", type=whole(1), help="a quick look at that many cases, spread over the set")
    parser.add_argument("--case-seed", type=whole(0), default=0, help="of which cases --max-cases takes")


def add_attack_arguments(parser: argparse.ArgumentParser) -> None:
    """The attack, its epsilons and its checks."""
    parser.add_argument("--attack", required=True, help="config of the attack: a file, or a name such as apgd_ce")
    add_keys(parser, "--attack-options", "e.g. attack.num_iterations=5")
    parser.add_argument("--epsilon", nargs="+", help="fractions of the box's width, for instance 4/255 8/255 0.1")
    parser.add_argument(
        "--reference",
        type=Path,
        help="stored task whose plan's window is what epsilon is a fraction of, the same raw epsilon for every system",
    )
    parser.add_argument(
        "--sanity",
        choices=["none", "quick", "full"],
        default="quick",
        help="effort of the checks of the network: quick (default) takes at most a tenth of the attack's passes, so a "
        "short attack gets few checks or none; full takes about 650 passes for each of three cases, however short the "
        "attack is; finished attacks are not made again for it",
    )
    parser.add_argument("--seed", type=whole(0), default=0, help="of the attack")


class Command(Protocol):
    """What a file of this folder has."""

    DESCRIPTION: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what stands on the command line."""

    def run(self, options: argparse.Namespace) -> object:
        """Do it; a user's mistake is a ValueError or an OSError."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command ``rogseg``: the first argument says which subcommand gets the others."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] in COMMANDS:
        return run_command(arguments[0], arguments[1:], program=f"rogseg {arguments[0]}")
    if arguments and not arguments[0].startswith("-"):
        print(f"rogseg: there is no command {arguments[0]!r}: {nearest(arguments[0], COMMANDS)}", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(
        prog="rogseg",
        description="Train, attack and defend volumetric medical segmentation networks.",
        epilog="rogseg COMMAND --help says more.",
    )
    parser.add_argument("--version", action="version", version=f"rogseg {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        commands.add_parser(name, help=_module(name).DESCRIPTION)
    parser.parse_args(arguments or ["--help"])
    return 0


def run_command(name: str, arguments: Sequence[str] | None = None, *, program: str) -> int:
    """Run one subcommand.

    Args:
        name: one of `COMMANDS`.
        arguments: that follow it; None takes those that the process was started with.
        program: what its messages begin with.

    Returns:
        The exit status, as `exit_status` gives it.
    """
    module, parser = _module(name), command_parser(name, program)
    return exit_status(
        program, lambda: module.run(parser.parse_args(arguments)), getattr(module, "IF_INTERRUPTED", "stopped")
    )


def command_parser(name: str, program: str) -> CommandParser:
    """What reads the arguments of one of `COMMANDS`; ``program`` is what its messages begin with."""
    module = _module(name)
    parser = CommandParser(prog=program, description=module.DESCRIPTION, epilog=getattr(module, "EPILOG", None))
    module.add_arguments(parser)
    return parser


def _module(name: str) -> Command:
    return cast(Command, importlib.import_module(f"{__name__}.{name}"))
