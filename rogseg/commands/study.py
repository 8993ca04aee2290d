"""``rogseg study``: trainings, attacks and their page, made from nothing by one command."""

import argparse
import shlex
from pathlib import Path

from rogseg.argument_parser import whole

DESCRIPTION = "Run a study, a list of rogseg commands, and write the page of its tables and figures from the records."
EPILOG = (
    "The same command goes on after an interruption: a step that is done is not run again, unless what it read has "
    "changed."
)
PLACES = {"data": Path("DATA"), "out": Path("OUT")}  # and what stands for them in a list of commands
IF_INTERRUPTED = "stopped; the same command goes on with the step that was running"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The study, its data, and where all of it goes."""
    parser.add_argument("config", help="a file, or a name such as study_hippocampus")
    parser.add_argument("--data", type=Path, help="folder of the raw task; --list alone needs none")
    parser.add_argument("--out", type=Path, help="folder of everything that is made; --list alone needs none")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="WORD=VALUE",
        help="words of its commands, such as cases='--max-cases 2'",
    )
    parser.add_argument(
        "--jobs",
        type=whole(1),
        default=1,
        metavar="N",
        help="steps that run at a time, each after those that it needs (default: 1); many small networks share one GPU",
    )
    parser.add_argument(
        "--steps",
        nargs="+",
        default=["*"],
        metavar="NAME",
        help="run these alone and those that they need; a name may be a pattern, such as 'strongest_*' (default: all)",
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="print the commands and run none")
    instead.add_argument("--page", action="store_true", help="write the page of what is done and run none")


def run(options: argparse.Namespace) -> None:
    """Run what is not done, and write the page."""
    from rogseg.engine.study.plan import read_study
    from rogseg.engine.study.run_study import done_steps, run_steps
    from rogseg.engine.study.step_order import chosen_steps
    from rogseg.engine.study.study_page import write_study_page
    from rogseg.shipped_configs import find_config

    study = read_study(find_config(options.config, "study"), options.set)
    if not options.list and (missing := [f"--{name}" for name in PLACES if getattr(options, name) is None]):
        raise ValueError(f"{' and '.join(missing)} must be given, unless --list is, which only prints the commands")
    commands = study.commands(*(getattr(options, name) or place for name, place in PLACES.items()))
    chosen = chosen_steps(commands, options.steps)
    if options.list:
        print(*(f"rogseg {shlex.join(command)}" for command in chosen.values()), sep="\n")
        return
    if not options.page:
        run_steps(chosen, options.out, options.jobs)
    done = done_steps(commands, options.out)
    again = ["study", options.config, "--data", str(options.data), "--out", str(options.out)]
    again += ["--set", *options.set] if options.set else []
    page = write_study_page(study, commands, done, options.out, f"rogseg {shlex.join(again)}")
    print(f"study: {page}")
