"""--fold all: a training per fold, each tested on what it was held out of, one summary, and their ensemble."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from rogseg.commands import main
from rogseg.engine.model.open_system import leak_of, open_system
from rogseg.models.checkpoints import read_checkpoint
from rogseg.preprocessing import preprocess_task
from rogseg.storage import Fold, write_folds
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan
from tests.tiny_training import write_tiny_config

TASK = "Task99_Folds"
CASES = [f"case_{number}" for number in range(6)]
FOLDS = [Fold(tuple(CASES[2:]), tuple(CASES[:2])), Fold(tuple(CASES[:2] + CASES[4:]), tuple(CASES[2:4]))]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A raw task of six cases, stored with two folds, and a network trained for either."""
    folder = tmp_path_factory.mktemp("folds")
    raw, stored = folder / "raw" / TASK, folder / "stored" / TASK
    for part in ("imagesTr", "labelsTr"):
        (raw / part).mkdir(parents=True)
    generator = np.random.default_rng(0)
    for case_id in CASES:
        label = np.zeros((12, 16, 16), dtype=np.uint8)
        first = generator.integers(2, 6)
        label[first : first + 5, 4:12, 4:12] = 1
        image = (label * 100 + generator.normal(0, 20, label.shape)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(label, np.eye(4)), raw / "labelsTr" / f"{case_id}.nii.gz")
        volume = nibabel.Nifti1Image(image, np.eye(4))
        volume.set_sform(None, 0)
        volume.set_qform(np.diag([1.0, 1.0, 1.0, 1.0]), 1)
        nibabel.save(volume, raw / "imagesTr" / f"{case_id}.nii.gz")
    listed = [{"image": f"./imagesTr/{one}.nii.gz", "label": f"./labelsTr/{one}.nii.gz"} for one in CASES]
    index = {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "blob"}, "training": listed, "test": []}
    (raw / "dataset.json").write_text(json.dumps(index))
    plan = TaskPlan(
        name=TASK,
        channels=(ChannelIntensity("CT", rescale=False, lower=-50, upper=150, mean=20, std=50),),
        classes=(ForegroundClass("blob", "organ"),),
        label_values=(0, 1),
        spacing=(1.0, 1.0, 1.0),
        patch_size=(8, 16, 16),
        crop_size=(8, 16, 16),
        window_size=(8, 16, 16),
        strides=((1, 1, 1), (2, 2, 2), (1, 1, 1)),
    )
    stored.mkdir(parents=True)
    preprocess_task(raw, stored, plan=plan, say=lambda _: None)
    write_folds(stored, FOLDS)
    write_tiny_config(folder)
    assert main([*train(folder), "--cfg-options", "train_cfg.max_epochs=2"]) == 0
    return folder


def train(made: Path) -> list[str]:
    stored = str(made / "stored" / TASK)
    return ["train", str(made / "tiny.py"), "--task", stored, "--fold", "all", "--work-dir", str(made / "w")]


def of_folds(made: Path, out: Path, *more: str) -> list[str]:
    system = [str(made / "tiny.py"), str(made / "w")]
    places = ["--task", str(made / "stored" / TASK), "--data", str(made / "raw" / TASK), "--out", str(out)]
    return ["test", *system, *places, *more]


def test_each_fold_is_trained_once_and_on_its_own_cases(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = [(made / "w" / f"{TASK}_fold{fold}" / "best.pth").read_bytes() for fold in (0, 1)]
    assert main([*train(made), "--cfg-options", "train_cfg.max_epochs=2"]) == 0
    assert capsys.readouterr().out.count("trained before") == 2
    for fold, cases in enumerate(FOLDS):
        path = made / "w" / f"{TASK}_fold{fold}" / "best.pth"
        assert path.read_bytes() == before[fold]
        lineage = read_checkpoint(path)["meta"]["lineage"]
        assert {*lineage["training"], *lineage["selection"]} == set(cases.train)


def test_a_fold_that_was_trained_with_other_settings_is_no_fold_of_this_training(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ["train_cfg.max_epochs=2", "optim_wrapper.optimizer.lr=0.5"]
    assert main([*train(made), "--cfg-options", *other]) == 2
    said = capsys.readouterr()
    assert "differs from this one in optimizer" in said.err
    assert "trained before" not in said.out


def test_the_summary_is_over_every_case_once(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(of_folds(made, tmp_path, "--fold", "all")) == 0
    assert "Every case is measured once" in capsys.readouterr().out
    dice = []
    for fold, cases in enumerate(FOLDS):
        lines = (tmp_path / f"fold_{fold}" / "metrics.csv").read_text().splitlines()[1:]
        assert [line.split(",")[0] for line in lines] == list(cases.validation)
        dice += [float(line.split(",")[2]) for line in lines]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["classes"]["blob"]["Dice"]["mean"] == pytest.approx(np.mean(dice))
    assert summary["mean"]["Dice"]["num_cases"] == 4
    assert summary["folds"]["1"]["Dice"]["mean"] == pytest.approx(np.mean(dice[2:]))
    assert "| all folds, blob | 4 |" in (tmp_path / "table.md").read_text()


def test_a_fold_that_was_not_trained_is_named(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / f"{TASK}_fold0").symlink_to(made / "w" / f"{TASK}_fold0")
    call = of_folds(made, tmp_path / "out", "--fold", "all")
    call[2] = str(tmp_path / "w")
    assert main(call) == 2
    assert "2 folds, of which 1 were not trained" in capsys.readouterr().err
    call[2] = str(made / "stored")
    assert main(call) == 2
    assert "_fold0/best.pth" in capsys.readouterr().err


def test_the_folds_are_one_system_that_has_seen_all_cases(made: Path) -> None:
    stored = made / "stored" / TASK
    config = str(made / "tiny.py")
    ensemble = open_system([config, made / "w"], device="cpu", task_dir=stored)
    singles = [
        open_system([config, made / "w" / f"{TASK}_fold{fold}" / "best.pth"], device="cpu", task_dir=stored).system
        for fold in (0, 1)
    ]
    inputs = torch.randn(1, 1, 12, 16, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    mean = (singles[0].logits(inputs) + singles[1].logits(inputs)) / 2
    torch.testing.assert_close(ensemble.system.logits(inputs), mean)
    direction = torch.randn(mean.shape, generator=torch.Generator().manual_seed(1))
    expected = torch.autograd.grad((mean * direction).sum(), inputs)[0]
    found = torch.autograd.grad((ensemble.system.logits(inputs) * direction).sum(), inputs)[0]
    torch.testing.assert_close(found, expected)
    assert ensemble.system.identity.options["folds"] == [0, 1]
    assert ensemble.system.identity.digest not in {single.identity.digest for single in singles}
    assert ensemble.lineage is not None
    assert ensemble.lineage.validation == ()
    with pytest.raises(ValueError, match="trained or selected on 2 of these 2"):
        leak_of(ensemble, CASES[:2], TASK, allow_seen=False)


def test_an_ensemble_waits_for_its_trainings(made: Path, tmp_path: Path) -> None:
    (tmp_path / f"{TASK}_fold0").mkdir()
    (tmp_path / f"{TASK}_fold0" / "best.pth").touch()
    with pytest.raises(ValueError, match="has not come to its end"):
        open_system([str(made / "tiny.py"), tmp_path], task_dir=made / "stored" / TASK)


def test_probabilities_and_predictions_lie_where_the_image_says(made: Path, tmp_path: Path) -> None:
    call = of_folds(made, tmp_path, "--fold", "0", "--save-probabilities")
    call[2] = str(made / "w" / f"{TASK}_fold0" / "best.pth")
    assert main(call) == 0
    label = nibabel.load(tmp_path / "predictions" / "case_0.nii.gz")
    maps = nibabel.load(tmp_path / "probabilities" / "case_0.nii.gz")
    for written in (label, maps):
        assert (int(written.header["qform_code"]), int(written.header["sform_code"])) == (1, 0)
        np.testing.assert_allclose(written.affine, np.eye(4))
    values = np.asarray(maps.dataobj)
    assert values.shape == (12, 16, 16, 2)
    np.testing.assert_allclose(values.sum(-1), 1, atol=1e-6)
    np.testing.assert_array_equal(values.argmax(-1), np.asarray(label.dataobj))
    (tmp_path / "probabilities" / "case_1.nii.gz").unlink()
    assert main(call) == 0
    assert (tmp_path / "probabilities" / "case_1.nii.gz").is_file()


def test_a_folder_of_images_needs_no_task_beside_the_checkpoint(made: Path, tmp_path: Path) -> None:
    checkpoint = str(made / "w" / f"{TASK}_fold0" / "best.pth")
    images = ["--images", str(made / "raw" / TASK / "imagesTr"), "--out", str(tmp_path)]
    assert main(["test", str(made / "tiny.py"), checkpoint, *images]) == 0
    assert {path.name for path in (tmp_path / "predictions").iterdir()} == {f"{case_id}.nii.gz" for case_id in CASES}
