"""tools/test.py on a tiny task: raw folder in, predictions, records and tables out; interrupted and gone on."""

import json
import math
import shutil
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from rogseg.attacks import FGSM, DiceBelow, LinfThreat
from rogseg.engine.accuracy import case_segmenter
from rogseg.engine.case_selection import selection_of, spread
from rogseg.engine.config.load import load_config
from rogseg.engine.model.api import load_model
from rogseg.engine.model.recorded_plan import plan_path
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.preprocessing import preprocess_task, write_label
from rogseg.registry import MODELS
from rogseg.storage import StoredTask
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan
from tools import test as tool

AFFINE = np.diag([2.0, 1.0, 1.0, 1.0])
CONFIG = Path(__file__).resolve().parents[4] / "configs/rog/rog_standard.py"
TASK = "Task99_Made"


def write_volume(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, AFFINE), path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw task of five labelled and two test cases, the stored task, and a checkpoint of untrained weights."""
    folder = tmp_path_factory.mktemp("made")
    raw = folder / "raw" / TASK
    generator = np.random.default_rng(0)
    for number in range(7):
        label = np.zeros((10, 18, 16), dtype=np.uint8)
        label[3:7, 4:12, 4:12] = 5
        image = (label * 20 + generator.normal(0, 20, label.shape)).astype(np.float32)
        if number < 5:
            write_volume(raw / f"labelsTr/made_{number}.nii.gz", label)
        write_volume(raw / f"images{'Tr' if number < 5 else 'Ts'}/made_{number}.nii.gz", image)
    index = {
        "name": "made",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "5": "blob"},
        "training": [
            {"image": f"./imagesTr/made_{n}.nii.gz", "label": f"./labelsTr/made_{n}.nii.gz"} for n in range(5)
        ],
        "test": ["./imagesTs/made_5.nii.gz", "./imagesTs/made_6.nii.gz"],
    }
    (raw / "dataset.json").write_text(json.dumps(index))
    plan = TaskPlan(
        name=TASK,
        channels=(ChannelIntensity("CT", rescale=False, lower=-50, upper=150, mean=50, std=40),),
        classes=(ForegroundClass("blob", "organ"),),
        label_values=(0, 5),
        spacing=(1.0, 1.0, 1.0),
        patch_size=(16, 16, 16),
        crop_size=(16, 16, 16),
        window_size=(16, 16, 16),
        strides=((1, 1, 1), (2, 2, 2), (2, 2, 2)),
    )
    preprocess_task(raw, folder / "stored" / TASK, plan=plan)
    torch.manual_seed(0)
    network = MODELS.build(load_config(CONFIG, None, folder / "stored" / TASK).model)
    torch.save({"state_dict": network.state_dict()}, folder / "best.pth")
    return folder


def without_time(path: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key not in ("seconds", "crc")} for entry in entries]


def on_images(made: Path, out: Path, *more: str) -> list[str]:
    stored = str(made / "stored" / TASK)
    return [str(CONFIG), str(made / "best.pth"), "--task", stored, "--out", str(out), *more]


def arguments(made: Path, out: Path, *more: str) -> list[str]:
    return [*on_images(made, out, *more), "--raw", str(made / "raw" / TASK)]


def test_validation_cases_are_measured_and_a_kill_costs_one_case(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert tool.main(arguments(made, whole, "--cases", "made_0", "made_1", "made_2")) == 0
    assert "blob" in capsys.readouterr().out
    shutil.copytree(whole, killed)
    # As after kill -9 while the third case was measured: its prediction is there, its line is torn.
    lines = (whole / "records.jsonl").read_text().splitlines(keepends=True)
    (killed / "records.jsonl").write_text("".join(lines[:2]) + lines[2][:30])
    predicted: list[str] = []

    def watched(path: Path, *rest: Any) -> None:
        predicted.append(path.name)
        write_label(path, *rest)

    monkeypatch.setattr(case_segmenter, "write_label", watched)
    assert tool.main(arguments(made, killed, "--cases", "made_0", "made_1", "made_2")) == 0
    assert predicted == ["made_2.nii.gz"]
    assert without_time(killed / "records.jsonl") == without_time(whole / "records.jsonl")
    for name in ("metrics.csv", "summary.json"):
        assert (killed / name).read_text() == (whole / name).read_text()
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["classes"]["blob"]["Dice"]["num_cases"] == 3
    image = nibabel.load(whole / "predictions/made_0.nii.gz")
    assert image.shape == (10, 18, 16)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(image.affine, AFFINE)
    values = np.asarray(image.dataobj)
    assert set(np.unique(values)) <= {0, 5}
    label = np.asarray(nibabel.load(made / "raw" / TASK / "labelsTr/made_0.nii.gz").dataobj)
    dice = 2 * ((values == 5) & (label == 5)).sum() / ((values == 5).sum() + (label == 5).sum())
    assert without_time(whole / "records.jsonl")[0]["measures"]["Dice"] == [pytest.approx(dice)]


def test_submission_and_plain_folders_need_no_label(made: Path, tmp_path: Path) -> None:
    assert tool.main(arguments(made, tmp_path / "test", "--submission")) == 0
    with zipfile.ZipFile(tmp_path / "test" / f"{TASK}.zip") as archive:
        assert archive.namelist() == [f"{TASK}/made_5.nii.gz", f"{TASK}/made_6.nii.gz"]
    assert not (tmp_path / "test/metrics.csv").exists()
    folder = str(made / "raw" / TASK / "imagesTs")
    assert tool.main(on_images(made, tmp_path / "plain", "--images", folder)) == 0
    for case in ("made_5", "made_6"):
        one, other = (
            np.asarray(nibabel.load(tmp_path / out / f"predictions/{case}.nii.gz").dataobj) for out in ("test", "plain")
        )
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--images", "x", "--cases", "made_0"), "--cases has no effect beside --images"),
        (("--images", "x", "--fold", "3"), "--fold has no effect beside --images"),
        (("--images", "x", "--data", "y"), "--data has no effect beside --images"),
        (("--images", "x", "--submission"), "--submission has no effect beside --images"),
        (("--submission", "--max-cases", "1"), "--max-cases has no effect beside --submission"),
        (("--submission", "--cases", "made_0"), "--cases has no effect beside --submission"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: tuple[str, ...], said: str
) -> None:
    assert tool.main(on_images(made, tmp_path / "out", *given)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_few_cases_are_spread_over_the_set_and_never_taken_for_all(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ["made_0", "made_1", "made_2", "made_3"]
    few = arguments(made, tmp_path / "few", "--cases", *ids, "--max-cases", "2", "--case-seed", "1")
    assert tool.main(few) == 0
    records = RecordFolder(tmp_path / "few")
    assert tuple(sorted(records.clean())) == spread(ids, 2, 1)
    assert records.identity.selection == selection_of(2, 1, "by id")
    assert set(records.identity.data) == set(records.clean())
    assert tool.main(arguments(made, tmp_path / "few", "--cases", *ids)) == 2
    assert "its records belong to another evaluation" in capsys.readouterr().err
    assert tool.main(few) == 0  # goes on with its own


def test_what_a_killed_run_left_among_the_files_of_cases_goes(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert tool.main(arguments(made, out, "--cases", "made_0", "--save-probabilities")) == 0
    for folder in ("predictions", "probabilities"):
        (out / folder / ".rogseg-partial-made_0.nii.gz-abcdefgh").write_bytes(b"half")
    assert tool.main(arguments(made, out, "--cases", "made_0")) == 0
    assert {path.name for path in out.rglob("*made_0*")} == {"made_0.nii.gz"}


def test_results_of_another_checkpoint_do_not_mix(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert tool.main(arguments(made, out, "--cases", "made_0")) == 0
    other = tmp_path / "other.pth"
    state = torch.load(made / "best.pth", weights_only=True)["state_dict"]
    torch.save({"state_dict": {name: value * 0.5 for name, value in state.items()}}, other)
    refused = arguments(made, out, "--cases", "made_0")
    refused[1] = str(other)
    assert tool.main(refused) == 2
    assert "system.digest (the weights, the code or the settings of the network): " in capsys.readouterr().err
    assert tool.main(arguments(made, out, "--cases", "nobody")) == 2
    assert "no case nobody" in capsys.readouterr().err


def test_what_changed_since_is_noticed(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, raw = tmp_path / "out", tmp_path / "raw" / TASK
    shutil.copytree(made / "raw" / TASK, raw)
    call = [*arguments(made, out, "--cases", "made_0"), "--raw", str(raw)]
    assert tool.main(call) == 0
    written = (out / "predictions/made_0.nii.gz").read_bytes()
    (out / "predictions/made_0.nii.gz").unlink()
    assert tool.main(call) == 0
    assert (out / "predictions/made_0.nii.gz").read_bytes() == written
    (out / "predictions/made_0.nii.gz").write_bytes(written[:-10])
    assert tool.main(call) == 2
    assert "made_0.nii.gz: it is not the prediction" in capsys.readouterr().err
    (out / "predictions/made_0.nii.gz").write_bytes(written)
    for part in ("labelsTr", "imagesTr"):
        file = raw / part / "made_0.nii.gz"
        kept = file.read_bytes()
        write_volume(file, np.asarray(nibabel.load(file).dataobj)[:, ::-1].copy())
        assert tool.main(call) == 2
        assert "data.made_0 (the files of that case): " in capsys.readouterr().err
        file.write_bytes(kept)
    assert tool.main(call) == 0
    assert tool.main([*call, "--cfg-options", "inference.window_size=(16,16,8)"]) == 2
    assert "window_size: " in capsys.readouterr().err
    assert tool.main([*call, "--cfg-options", "fold=3"]) == 2  # which holds the case out
    assert "fold: None there, 3 now" in capsys.readouterr().err
    (out / "header.json").unlink()
    assert tool.main(call) == 2
    assert "without header.json" in capsys.readouterr().err


def test_measures_are_chosen_by_config(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "lesions.py"
    config.write_text(
        f"_base_ = [{str(CONFIG)!r}]\n"
        "measures = [dict(type='Dice'), dict(type='NSD', tolerance='task.surface_tolerance'),"
        " dict(type='LesionSensitivity', min_volume=0.01)]\n"
    )
    call = arguments(made, tmp_path / "out", "--cases", "made_0")
    call[0] = str(config)
    assert tool.main(call) == 0
    record = json.loads((tmp_path / "out/records.jsonl").read_text())
    assert list(record["measures"]) == ["Dice", "NSD 1 mm", "lesion sensitivity from 0.01 ml"]
    assert "lesion sensitivity" in capsys.readouterr().out
    config.write_text(config.read_text().replace("'Dice'", "'Dise'"))
    assert tool.main(call) == 2
    assert "did you mean 'Dice'" in capsys.readouterr().err


def test_post_processing_is_chosen_and_recorded(made: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "best.pth"
    shutil.copy(made / "best.pth", checkpoint)
    changed = arguments(made, tmp_path / "out", "--cases", "made_0", "--choose-postprocessing")
    changed[1] = str(checkpoint)
    assert tool.main(changed) == 0
    recorded = TaskPlan.load(plan_path(checkpoint))
    model = load_model(CONFIG, checkpoint, device="cpu", task_dir=made / "stored" / TASK)
    assert model.plan == recorded


def test_a_label_map_goes_where_nothing_is_lost(made: Path, tmp_path: Path) -> None:
    model = load_model(CONFIG, made / "best.pth", device="cpu", task_dir=made / "stored" / TASK)
    file = tmp_path / "scan.nii.gz"
    shutil.copy(made / "raw" / TASK / "imagesTr/made_3.nii.gz", file)
    before = file.read_bytes()
    (tmp_path / "link.nii.gz").symlink_to(file)
    for out in (file, tmp_path / "link.nii.gz"):
        with pytest.raises(ValueError, match=r"is the image itself"):
            model.predict(file, out=out)
    (tmp_path / "folder.nii.gz").mkdir()
    for name in ("seg.mha", "seg.npy", "seg", "seg.NII.GZ", "folder.nii.gz"):
        with pytest.raises(ValueError, match=rf"{name}: a label map is written as NIfTI"):
            model.predict(file, out=tmp_path / name)
    assert file.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"scan.nii.gz", "link.nii.gz", "folder.nii.gz"}


def test_what_is_strange_about_a_file_is_told_wherever_a_network_meets_it(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = nibabel.load(made / "raw" / TASK / "imagesTr/made_3.nii.gz")
    moved = image.affine.copy()
    moved[0, 3] += 70
    image.set_qform(moved, 1)
    (tmp_path / "images").mkdir()
    nibabel.save(image, tmp_path / "images" / "odd.nii.gz")
    model = load_model(CONFIG, made / "best.pth", device="cpu", task_dir=made / "stored" / TASK)
    with pytest.warns(UserWarning, match=r"odd: .*qform"):
        model.predict(tmp_path / "images" / "odd.nii.gz")
    call = on_images(made, tmp_path / "out", "--images", str(tmp_path / "images"))
    assert tool.main(call) == 0
    assert "note: odd: " in " ".join(capsys.readouterr().out.split())
    assert "qform" in RecordFolder(tmp_path / "out").clean()["odd"].notes[0]


def test_the_python_api_predicts_and_lends_itself_to_attacks(made: Path, tmp_path: Path) -> None:
    stored = made / "stored" / TASK
    model = load_model(CONFIG, made / "best.pth", device="cpu", task_dir=stored)
    file = made / "raw" / TASK / "imagesTr/made_3.nii.gz"
    labels = model.predict(file, out=tmp_path / "made_3.nii.gz")
    np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / "made_3.nii.gz").dataobj), labels)
    array = np.asarray(nibabel.load(file).dataobj)
    np.testing.assert_array_equal(model.predict(array, spacing=(2.0, 1.0, 1.0)), labels)
    with pytest.raises(ValueError, match="spacing"):
        model.predict(array)
    for spacing in ((2.0, 1.0), (2.0, 1.0, -1.0), (2.0, 1.0, math.nan)):
        with pytest.raises(ValueError, match="spacing must be positive, three lengths"):
            model.predict(array, spacing=spacing)
    with pytest.raises(ValueError, match="spacing is that of an array"):
        model.predict(file, spacing=(1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="got an empty list"):
        model.predict([])

    case = model.prepare(file)
    np.testing.assert_array_equal(case.inputs[0].numpy(), StoredTask(stored).case("made_3").read_image())
    targets = model.logits(case.inputs).argmax(1)
    result = FGSM()(
        model.logits,
        case.inputs,
        targets,
        LinfThreat.from_fraction(8 / 255, case.box),
        DiceBelow(0.5),
        generator=torch.Generator().manual_seed(0),
    )
    assert float(result.dice.nanmean()) < 1
    assert float((result.adversarial - case.inputs).abs().max()) <= 8 / 255 * 5 * (1 + 1e-5)
