"""The study of a task of the MSD, from phantoms with its channels and classes to its page; all of it made short."""

import dataclasses
import re
from pathlib import Path

import pytest

from rogseg.commands import main
from rogseg.engine.study.step_processes import StepProcesses
from rogseg.foreign import read_json
from rogseg.shipped_configs import shipped_plans
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.task_plan import TaskPlan

TASKS = ("braintumour", "liver", "prostate")  # four channels; organ and lesion; two channels
SHAPE = (48, 48, 32)
# The plan of a task's config made small, with strides that leave some voxels at the coarsest scale.
NETWORK = (
    "task.patch_size=[32,32,16] task.crop_size=[40,40,24] task.window_size=[32,32,16] "
    "task.strides=[[1,1,1],[2,2,2],[2,2,1]] model.backbone.channels=8 model.head.channels=8"
)
ONE_CASE = "--protocol patch --max-cases 1 --sanity none"
SHORT = "--attack-options attack.num_iterations=1"
WORDS = (
    f"training=--resume --cfg-options {NETWORK} train_cfg.max_epochs=5 train_cfg.iterations_per_epoch=4 "
    "train_data.num_workers=0 train_data.batch_size=1 validation.max_volumes=1 validation.max_patches=1 "
    "validation.interval=5 validation.volume_interval=5",
    f"standard=rog_standard_{{task}} {{out}}/training/standard/best.pth --task {{out}}/stored --cfg-options {NETWORK}",
    f"freeat=rog_freeat_{{task}} {{out}}/training/freeat/best.pth --task {{out}}/stored --cfg-options {NETWORK}",
    f"autoattack=--attack autoattack {SHORT} attack.num_queries=1 --epsilon 8/255 {ONE_CASE}",
    f"epsilons=--attack apgd_ce {SHORT} --epsilon 4/255 8/255 {ONE_CASE}",
    f"ensemble=--attack segmentation_ensemble --attack-options attack.num_iterations=3 --epsilon 8/255 {ONE_CASE}",
    f"pgd=--attack pgd {SHORT} --epsilon 4/255 8/255 {ONE_CASE}",
)


@pytest.mark.check
@pytest.mark.parametrize("task", TASKS)
def test_a_study_makes_its_page(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def write_small(folder: Path, phantoms: PhantomTask) -> Path:
        return write_phantom_task(folder, dataclasses.replace(phantoms, shape=SHAPE))

    monkeypatch.setattr("rogseg.sources.write_phantom_task", write_small)
    # A process for each of the twelve steps would take longer than what they do.
    monkeypatch.setattr(StepProcesses, "run", lambda _, command, *__: main(command))
    assert main(["phantom", "raw/Phantom", "--like", task, "--training", "5", "--test", "0"]) == 0
    plan = shipped_plans() / f"{task}.json"
    study = [
        "study",
        f"study_{task}",
        "--data",
        "raw/Phantom",
        "--out",
        "study",
        "--set",
        f"plan=--plan {plan}",
        *WORDS,
    ]
    assert main(study) == 0
    page = Path("study/study.md").read_text()
    assert "Not finished" not in page
    header = next(line for line in page.splitlines() if line.startswith("| network | attack |"))
    for name in TaskPlan.from_json(read_json(plan, "get it again")["task"]).class_names:
        assert name in header
    assert {"APGD-CE", "APGD-DLR", "FAB-T", "Square", "worst case"} <= set(re.findall(r"\| ([\w -]+) \| Linf", page))
