"""The house rules that an import or a line count can break; what may import what stands in ARCHITECTURE.md."""

import ast
import dataclasses
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rogseg"
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py", "common.py"}
MAX_LINES = 230
QUICK = {"rogseg", "rogseg.argument_parser", "rogseg.command_line", "rogseg.commands"}


@dataclasses.dataclass(frozen=True)
class Room:
    """A row of the table: what a package may import from rogseg, and the libraries that it must do without."""

    may_import: frozenset[str]
    never: frozenset[str]


def _words(cell: str) -> frozenset[str]:
    return frozenset() if cell.strip() == "-" else frozenset(word.strip(" `") for word in cell.split(","))


def _table(text: str) -> dict[str, Room]:
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|$", text, flags=re.MULTILINE)
    return {name: Room(_words(may_import), _words(never)) for name, may_import, never in rows}


PAGE = (ROOT / "ARCHITECTURE.md").read_text()
ROOMS = _table(PAGE)
ENGINE_ORDER = [word.strip() for word in re.findall(r"^> (device,.*)$", PAGE, flags=re.MULTILINE)[0].split(",")]


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _inside(imports: set[str], package: str) -> set[str]:
    depth = package.count(".") + 1
    return {name.split(".")[depth] for name in imports if name.startswith(f"{package}.")}


def _files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.py"))


def _present() -> set[str]:
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return {name for name in found if not name.startswith("__")}


def test_the_table_is_read_whole() -> None:
    assert {"storage", "attacks", "engine"} <= set(ROOMS)
    assert ROOMS["trainers"].may_import == {"registry", "attacks", "cases"}
    assert ROOMS["trainers"].never == {"mmengine.runner"}


def test_every_package_has_a_row_in_the_table() -> None:
    assert _present() <= set(ROOMS)


@pytest.mark.parametrize("room", sorted(_present() & set(ROOMS)))
def test_a_room_imports_what_the_table_allows_and_no_more(room: str) -> None:
    allowed, unused = ROOMS[room].may_import | {room}, ROOMS[room].may_import - {"everything"}
    for path in _files(PACKAGE / room) or [PACKAGE / f"{room}.py"]:
        imports = _imports(path)
        unused -= _inside(imports, "rogseg")
        if "everything" not in allowed:
            # Names that the package itself has, such as the version, belong to no room.
            forbidden = _inside(imports, "rogseg") & _present() - allowed
            assert not forbidden, f"{path.relative_to(ROOT)} imports rogseg.{sorted(forbidden)}"
        for library in ROOMS[room].never:
            if library == "every library":
                used = {name.split(".")[0] for name in imports} - sys.stdlib_module_names - {"rogseg"}
            else:
                used = {name for name in imports if name == library or name.startswith(library + ".")}
            assert not used, f"{path.relative_to(ROOT)} imports {sorted(used)}"
    assert not unused, f"ARCHITECTURE.md lets {room} import {sorted(unused)}, which it does not: strike it there"


def test_inside_the_engine_no_arrow_runs_back_up() -> None:
    backward = set()
    for path in _files(PACKAGE / "engine"):
        room = path.relative_to(PACKAGE / "engine").with_suffix("").parts[0]
        for other in _inside(_imports(path), "rogseg.engine") - {room}:
            if room in ENGINE_ORDER and ENGINE_ORDER.index(room) < ENGINE_ORDER.index(other):
                backward.add((room, other))
    assert not backward


def test_every_part_of_the_engine_has_its_place_in_the_order() -> None:
    parts = {path.stem for path in (PACKAGE / "engine").iterdir() if not path.name.startswith("__")}
    assert parts == set(ENGINE_ORDER)


def test_commands_import_nothing_heavy_before_they_run() -> None:
    for path in _files(PACKAGE / "commands"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("rogseg"):
                assert node.module in QUICK, path.relative_to(ROOT)


def test_files_are_short_and_named_for_one_idea() -> None:
    for path in _files(PACKAGE) + _files(ROOT / "tools"):
        assert path.name not in FORBIDDEN_NAMES, path
        assert len(path.read_text().splitlines()) <= MAX_LINES, f"{path.relative_to(ROOT)} is longer than {MAX_LINES}"


def _text_without_encoding(path: Path) -> list[str]:
    """Where a file of text is read or written as the locale of the machine has it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        given = len(node.args) + any(keyword.arg == "encoding" for keyword in node.keywords)
        modes = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        is_text = modes in (["a"], ["w"], ["r"]) and given == 1
        if {"read_text": given < 1, "write_text": given < 2, "open": is_text}.get(node.func.attr, False):
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_files_of_text_are_utf_8_whatever_the_locale_is() -> None:
    assert [place for path in _files(PACKAGE) for place in _text_without_encoding(path)] == []
