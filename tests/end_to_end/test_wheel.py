"""A wheel, installed into an empty environment outside of the clone, is all that a user needs."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.tiny_training import ROOT

pytestmark = pytest.mark.check
SOURCES = ("rogseg", "configs", "model_zoo", "setup.py", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that has the wheel, and the libraries of the present one."""
    directory = tmp_path_factory.mktemp("wheel")
    source = directory / "source"  # a copy: building leaves folders behind, and what lies in them is packed again
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(directory), str(source)]
    subprocess.run(build, check=True)
    shutil.rmtree(source)
    (wheel,) = directory.glob("rogseg-*.whl")
    environment = directory / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [*pip, "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True
    )
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment / "bin"


def run(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(installed / arguments[0]), *arguments[1:]], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_command_is_there_and_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    assert "preprocess" in run(installed, tmp_path, "rogseg", "--help")
    place = run(installed, tmp_path, "python", "-c", "import rogseg; print(rogseg.__file__)")
    assert place.startswith(str(installed.parent))


def test_every_file_of_the_package_is_in_it(installed: Path) -> None:
    def files(folder: Path) -> set[Path]:
        return {
            path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        }

    (packages,) = installed.parent.glob("lib/python*/site-packages/rogseg")
    assert files(ROOT / "rogseg") <= files(packages)


def test_every_config_and_network_of_the_zoo_is_in_it(installed: Path, tmp_path: Path) -> None:
    code = """
from rogseg.engine import load_config, load_zoo_model
from rogseg.engine.config.load import load_attack_config
from rogseg.engine.model.model_zoo import zoo_models
from rogseg.shipped_configs import shipped_configs
tasks = [name for name in shipped_configs("network") if "hippocampus" in name or name == "rog_freeat_liver"]
for name in tasks:
    load_config(name)
for name in shipped_configs("attack"):
    load_attack_config(name)
for name in zoo_models():
    load_zoo_model(name, device="cpu")
print(*sorted(shipped_configs()))
print(*sorted(zoo_models()))
"""
    configs, zoo = run(installed, tmp_path, "python", "-c", code).splitlines()
    assert configs.split() == sorted(
        path.stem for path in (ROOT / "configs").glob("*/*.py") if not path.parent.name.startswith("_")
    )
    assert zoo.split() == sorted(path.stem for path in (ROOT / "model_zoo").glob("*.safetensors"))


def test_the_demo_runs_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    output = run(installed, tmp_path, "rogseg", "demo", "--out", "demo")
    assert "look at" in output
    assert (tmp_path / "demo" / "attack" / "table.md").is_file()
    assert list((tmp_path / "demo" / "test" / "predictions").glob("*.nii.gz"))
