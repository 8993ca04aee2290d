"""What each step of a study makes, as its command reads its arguments, and which steps stand before it for that."""

import argparse
import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path

from rogseg.command_line import nearest
from rogseg.commands import COMMANDS, command_parser
from rogseg.engine.study.named_files import mentioned, plan_beside

__all__ = ["chosen_steps", "made_by", "options_of", "steps_before"]

MADE = ("out", "work_dir")
"""Arguments of what is there once a command is done."""


def options_of(command: Sequence[str]) -> argparse.Namespace:
    """The arguments of a step as its command reads them.

    Args:
        command: the arguments of ``rogseg``.

    Raises:
        ValueError: there is no such command, or it does not take these arguments.
    """
    name, *arguments = command
    if name not in COMMANDS:
        raise ValueError(f"there is no command {name!r}: {nearest(name, COMMANDS)}")
    return command_parser(name, f"rogseg {name}").parse_args(arguments)


def made_by(command: Sequence[str]) -> set[Path]:
    """The absolute folders and files that a command says it makes, which are there once it is done."""
    options = options_of(command)
    made = {Path(value).absolute() for name in MADE if (value := getattr(options, name, None)) is not None}
    if getattr(options, "choose_postprocessing", False):
        made.update(plan_beside([Path(word).absolute() for word in options.system]))
    return made


def steps_before(steps: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Those of the steps above each one that make what its command names, or do not say what they make.

    What is named, by the command or by its configs, may lie in what was made, as a checkpoint does in its training;
    what the command names may also hold it, as a folder of networks.

    Args:
        steps: name -> arguments of ``rogseg``, in order.
    """
    needs: dict[str, set[str]] = {}
    makers: dict[str, set[Path]] = {}
    for name, command in steps.items():
        (places, texts), own = mentioned(command), made_by(command)
        inside = {folder for place in (*places, *texts) for folder in (place, *place.parents)}
        needs[name] = {
            maker
            for maker, made in makers.items()
            # Where a step puts its own output holds that of others without its reading it.
            if not made or made & inside or any(not (places - own).isdisjoint(folder.parents) for folder in made)
        }
        makers[name] = own
    return needs


def chosen_steps(steps: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, Sequence[str]]:
    """Those of the steps that are asked for and all that they need, in their order.

    Args:
        steps: name -> arguments of ``rogseg``, in order.
        names: of steps; ``*``, ``?`` and ``[...]`` stand for what they do in a shell.

    Raises:
        ValueError: a name is that of no step.
    """
    needs, chosen = steps_before(steps), set[str]()
    for name in names:
        found = fnmatch.filter(steps, name)
        if not found:
            raise ValueError(f"--steps {name}: the study has no such step; {nearest(name, steps)}")
        chosen.update(found)
    for name in reversed(list(steps)):
        if name in chosen:
            chosen |= needs[name]
    return {name: command for name, command in steps.items() if name in chosen}
