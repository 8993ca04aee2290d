"""Every command line of the documentation: its arguments are read, and what it names of ours is there."""

import re
import shlex
from pathlib import Path

import pytest

from rogseg.command_line import named_place
from rogseg.commands import COMMANDS, command_parser
from rogseg.shipped_configs import find_config
from tests.tiny_training import ROOT

PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
OF_TOOL = {"make_phantom": "phantom"}
START = re.compile(r"^(?:\$ )?(?:python tools/(\w+)\.py|rogseg|python -m rogseg)\b(.*)$")


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Subcommand and arguments of every line that is one; a backslash joins it with the next."""
    found = []
    for line in re.sub(r"\\\n\s*", " ", page.read_text()).splitlines():
        match = START.match(line.strip())
        # Prose such as "rogseg is", and what stands for any arguments, are no commands.
        if match is None or not line.startswith(("    ", "rogseg ", "$ ")) or " ..." in line:
            continue
        tool, rest = match.groups()
        words = shlex.split(rest, comments=True)
        name = OF_TOOL.get(tool, tool) if tool else (words.pop(0) if words else "")
        if name in COMMANDS or tool:
            found.append((name, words))
    return found


DOCUMENTED = [
    pytest.param(name, words, id=f"{page.name}-{number}-{name}")
    for page in PAGES
    for number, (name, words) in enumerate(commands(page))
]


def test_there_are_commands_to_look_at() -> None:
    assert {name for page in PAGES for name, _ in commands(page)} >= {"train", "test", "attack", "preprocess"}


@pytest.mark.parametrize(("name", "words"), DOCUMENTED)
def test_a_documented_command_is_one_that_the_program_takes(
    name: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    try:
        options = vars(command_parser(name, f"rogseg {name}").parse_args(words))
    except ValueError as refused:
        raise AssertionError(f"rogseg {name} {shlex.join(words)} is refused") from refused
    given = options.get("config") or options.get("system") or []
    for config in [given] if isinstance(given, str) else given[:1]:
        if config.startswith(("configs/", "rog_")):
            find_config(config, "network")
    attack = options.get("attack")
    if isinstance(attack, str) and attack.startswith("configs/") and "NAME" not in attack:
        find_config(attack, "attack")
    if name == "compare":
        assert all(named_place(entry)[0] for entry in options["records"]), "each of them needs a name"
