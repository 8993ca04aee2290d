"""Which files are a user's own component: its own and what it imports from beside it."""

from pathlib import Path

import pytest

from rogseg.engine.own_imports import with_imports


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(folder: Path, source: str, module: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in with_imports({folder / source: module}))


def test_what_a_file_imports_from_its_folder_is_part_of_it(tmp_path: Path) -> None:
    write(tmp_path, momentum="import torch\nfrom steps import SIGN\n", steps="import deeper, os\n", deeper="")
    write(tmp_path, other="", helpers__inner="", later="")
    assert names(tmp_path, "momentum.py", "momentum") == ["deeper.py", "momentum.py", "steps.py"]
    lazy = "def perturb():\n    import later\n    from helpers import inner\n"
    write(tmp_path, momentum=lazy)
    assert names(tmp_path, "momentum.py", "momentum") == ["helpers/inner.py", "later.py", "momentum.py"]


@pytest.mark.parametrize("text", ["from .steps import SIGN", "from . import steps", "import lab.attacks.steps"])
def test_what_a_module_imports_from_its_package_is_part_of_it(tmp_path: Path, text: str) -> None:
    write(tmp_path, lab__attacks__momentum=f"{text}\nimport beside\n", lab__attacks__steps="from ..sign import S\n")
    write(tmp_path, lab__sign="import lab.attacks.momentum\n", beside="")
    for folder in ("lab", "lab/attacks"):
        (tmp_path / folder / "__init__.py").write_text("")
    found = names(tmp_path, "lab/attacks/momentum.py", "lab.attacks.momentum")
    assert {"lab/attacks/momentum.py", "lab/attacks/steps.py", "lab/sign.py"} <= set(found)
    assert "beside.py" not in found


def test_neither_rogseg_nor_what_is_installed_is_a_users_own(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    write(installed, plugin="import library\n", library="")
    assert names(installed, "plugin.py", "plugin") == ["plugin.py"]
    write(tmp_path, momentum="from rogseg.attacks import Attack\n", rogseg__attacks="")
    assert names(tmp_path, "momentum.py", "momentum") == ["momentum.py"]


def test_a_program_is_found_by_its_file(tmp_path: Path) -> None:
    write(tmp_path, script="import steps\n", steps="half of a li ne (")
    assert names(tmp_path, "script.py", "__main__") == ["script.py", "steps.py"]
