import dataclasses
import json
from pathlib import Path

import nibabel
import pytest

from rogseg.commands import command_parser
from rogseg.commands import phantom as phantom_command
from rogseg.foreign import read_json
from rogseg.preprocessing.plan_making import check_plan_fits
from rogseg.shipped_configs import shipped_plans
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import read_raw_task
from rogseg.task_plan import TaskPlan

PLANS = sorted(shipped_plans().glob("*.json"))


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


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_plan_of_each_task_takes_its_phantoms(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_small(folder: Path, task: PhantomTask) -> Path:
        return write_phantom_task(folder, dataclasses.replace(task, shape=(24, 24, 24)))

    monkeypatch.setattr("rogseg.sources.write_phantom_task", write_small)
    make(tmp_path / "Phantom", "--like", path.stem, "--training", "1", "--test", "0")
    plan = TaskPlan.from_json(read_json(path, "get it again")["task"])
    check_plan_fits(plan, read_raw_task(tmp_path / "Phantom"), {})
