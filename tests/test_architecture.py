"""The house rules that an import or a line count can break."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rogseg"

# What each package may import from rogseg, itself aside.
MAY_IMPORT: dict[str, set[str]] = {
    "command_line": set(),
    "registry": set(),
    "task_plan": set(),
    "metrics": set(),
    "storage": {"task_plan"},
    "cases": {"task_plan"},
    "sources": {"storage"},
    "preprocessing": {"task_plan", "storage"},
    "datasets": {"registry", "task_plan", "storage", "cases"},
    "models": {"registry", "cases"},
    "inference": {"registry", "task_plan", "storage", "preprocessing", "cases"},
    "attacks": {"registry", "metrics", "cases"},
    "trainers": {"registry", "attacks", "cases"},
    "evaluation": {"registry", "task_plan", "metrics"},
    "report": {"registry", "task_plan", "metrics", "evaluation", "cases"},
    "engine": {path.stem for path in PACKAGE.iterdir()},
}
# Libraries that a package must do without.
NEVER: dict[str, set[str]] = {
    "storage": {"torch", "mmengine"},
    "sources": {"torch", "mmengine"},
    "preprocessing": {"mmengine"},
    "attacks": {"mmengine", "nibabel"},
    "trainers": {"mmengine.runner"},
}
TOOLS_MAY_IMPORT = {"command_line", "engine", "preprocessing", "sources", "evaluation"}
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py", "common.py"}
MAX_LINES = 230


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _rogseg_parts(imports: set[str]) -> set[str]:
    return {name.split(".")[1] for name in imports if name.startswith("rogseg.")}


def _files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.py"))


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_packages_import_only_what_the_table_allows(package: str) -> None:
    files = _files(PACKAGE / package) or [PACKAGE / f"{package}.py"]
    for path in files:
        imports = _imports(path)
        forbidden = _rogseg_parts(imports) - MAY_IMPORT[package] - {package}
        assert not forbidden, f"{path.relative_to(ROOT)} imports rogseg.{sorted(forbidden)}"
        for library in NEVER.get(package, set()):
            used = {name for name in imports if name == library or name.startswith(library + ".")}
            assert not used, f"{path.relative_to(ROOT)} imports {sorted(used)}"


def test_every_package_has_a_row_in_the_table() -> None:
    present = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert present - {"__init__"} == set(MAY_IMPORT)


def test_tools_only_parse_and_call() -> None:
    for path in _files(ROOT / "tools"):
        forbidden = _rogseg_parts(_imports(path)) - TOOLS_MAY_IMPORT
        assert not forbidden, f"{path.relative_to(ROOT)} imports rogseg.{sorted(forbidden)}"


def test_files_are_short_and_named_for_one_idea() -> None:
    for path in _files(PACKAGE) + _files(ROOT / "tools"):
        assert path.name not in FORBIDDEN_NAMES, path
        assert len(path.read_text().splitlines()) <= MAX_LINES, f"{path.relative_to(ROOT)} is longer than {MAX_LINES}"
