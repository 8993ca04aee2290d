"""Numbers in text are ASCII: Python's ``isdecimal``, ``int`` and ``\\d`` take the digits of every script."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rogseg.commands import fold_number
from rogseg.engine.case_selection import parse_shard
from rogseg.engine.model.fold_networks import fold_checkpoints
from rogseg.estimation.calibration import parse_devices
from rogseg.estimation.sizes import parse_memory, parse_size
from rogseg.storage.label_names import read_label_names
from rogseg.storage.raw_case import group_channels
from rogseg.systems.monai_bundle.config_file import ABSENT, BundleConfig
from rogseg.systems.nnunet.checkpoint import find_folds

THREE, ZERO = "\N{ARABIC-INDIC DIGIT THREE}", "\N{ARABIC-INDIC DIGIT ZERO}"


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: parse_size("--volume", f"{THREE}x50x35"), "--volume"),
        (lambda: parse_memory("--gpu-memory", f"{THREE}GB"), "--gpu-memory"),
        (lambda: parse_devices(f"{THREE}xA100"), "--cluster"),
        (lambda: fold_number(THREE), "--fold"),
        (lambda: parse_shard(f"1/{THREE}"), "--shard"),
        (lambda: group_channels(Path("images"), [Path(f"images/a_{ZERO * 4}.nii.gz")], 1), "has no channel number"),
    ],
)
def test_a_digit_of_another_script_is_no_digit(read: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read()


@pytest.mark.parametrize("value", [THREE, "--3"])
def test_the_value_of_a_label(tmp_path: Path, value: str) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"0": "background", value: "organ"}}))
    with pytest.raises(ValueError, match="give whole numbers"):
        read_label_names(tmp_path / "dataset.json")


def test_the_folder_of_a_fold(tmp_path: Path) -> None:
    folder = tmp_path / f"Task99_Tiny_fold{THREE}"
    folder.mkdir()
    (folder / "best.pth").touch()
    with pytest.raises(ValueError, match="name a checkpoint, or the folder"):
        fold_checkpoints(tmp_path, "Task99_Tiny")


def test_the_folder_of_a_fold_of_nnunet(tmp_path: Path) -> None:
    (tmp_path / f"fold_1{THREE}").mkdir()
    (tmp_path / f"fold_1{THREE}" / "final.pth").touch()
    with pytest.raises(ValueError, match="holds no fold_N/final"):
        find_folds(tmp_path, "final.pth", None)


def test_the_place_in_a_list_of_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "inference.json").write_text(json.dumps({"steps": [0, 1, 2, 3]}))
    config = BundleConfig(tmp_path / "inference.json", tmp_path)
    assert config.raw("steps#3") == 3
    assert config.raw(f"steps#{THREE}") is ABSENT
