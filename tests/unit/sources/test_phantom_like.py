import json
from pathlib import Path

import nibabel
import pytest

from rogseg.commands import command_parser
from rogseg.commands import phantom as phantom_command


def make(folder: Path, *arguments: str) -> None:
    phantom_command.run(command_parser("phantom", "rogseg phantom").parse_args([str(folder), *arguments]))


def test_a_phantom_takes_after_a_task(tmp_path: Path) -> None:
    make(tmp_path / "Phantom", "--like", "hippocampus", "--training", "1", "--test", "0", "--seed", "3")
    content = json.loads((tmp_path / "Phantom" / "dataset.json").read_text())
    assert len(content["labels"]) == 3
    image = nibabel.load(next((tmp_path / "Phantom" / "imagesTr").glob("*.nii.gz")))
    assert image.shape == (40, 60, 40)


def test_an_unknown_task_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'liver'"):
        make(tmp_path / "Phantom", "--like", "livr")
