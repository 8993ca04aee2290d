"""What is asked of a system of others that it does not take is refused by one rule, whatever the system is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rogseg.commands import main
from rogseg.engine.model.open_system import open_system
from tests.unit.engine.attacking.test_systems_of_others import write_torch_config
from tests.unit.systems.any_network.networks import seeded
from tests.unit.systems.monai_bundle.bundles import write_bundle
from tests.unit.systems.nnunet.tiny_folder import write_folder


def nnunet(folder: Path) -> Path:
    pytest.importorskip("nnunetv2")
    return write_folder(folder / "nnunet")


def bundle(folder: Path) -> Path:
    pytest.importorskip("monai")
    return write_bundle(folder / "bundle")


SYSTEMS: dict[str, Callable[[Path], str | Path]] = {
    "an nnU-Net": nnunet,
    "a bundle": bundle,
    "a config": lambda folder: write_torch_config(folder, seeded()),
}


@pytest.mark.parametrize("kind", SYSTEMS)
@pytest.mark.parametrize(
    ("wish", "mend"),
    [
        ("fold=3", "name the cases with --cases instead of --fold"),
        ("stored_root=x", "leave it out"),
        ("validation.interval=2", "leave it out"),
    ],
)
def test_a_wish_that_a_system_of_others_does_not_take(kind: str, wish: str, mend: str, tmp_path: Path) -> None:
    key = wish.partition("=")[0]
    taken = "did you mean 'folds'" if (kind, key) == ("an nnU-Net", "fold") else "known are .*device"
    with pytest.raises(ValueError, match=rf"^--cfg-options: {key} has no effect .*; {mend} \({taken}"):
        open_system([SYSTEMS[kind](tmp_path)], device="cpu", overrides=[wish])


@pytest.mark.parametrize("kind", SYSTEMS)
def test_the_option_for_folds_is_named_as_it_is_written(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = str(SYSTEMS[kind](tmp_path))
    assert main(["test", named, "--data", str(tmp_path), "--fold", "3", "--out", str(tmp_path / "out")]) == 2
    assert "name the cases with --cases instead of --fold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "wish", "message"),
    [
        ("an nnU-Net", "mirroring=3", "mirroring is 3, it must be True or False"),
        ("an nnU-Net", "folder=elsewhere", "folder has no effect"),
        ("a bundle", "type=TorchModule", "type has no effect"),
        ("a bundle", "classes.0=liver", "classes.0 lies inside an argument"),
        ("a bundle", "checkpoint=7", "checkpoint is 7, it must be a text"),
    ],
)
def test_a_wrong_argument_of_a_folder_is_told_as_one_of_any_config(
    kind: str, wish: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"^--cfg-options: {message}"):
        open_system([SYSTEMS[kind](tmp_path)], device="cpu", overrides=[wish])
