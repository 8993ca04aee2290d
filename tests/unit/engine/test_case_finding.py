"""Raw cases of a network of ours are those that the fold of its config holds out, whichever command asks."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from rogseg.commands import main
from rogseg.engine.case_finding import cases_to_attack, cases_to_test, fold_of_cases
from rogseg.engine.model.open_system import OpenedSystem, open_system
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.storage import StoredTask
from tests.raw_tasks import CASE_IDS, TASK, store_with_networks, write_raw_task


def _found(opened: OpenedSystem, data: Path, task: Path) -> tuple[str, ...]:
    """What an attack and a test take, which must be one."""
    tested, attacked = (
        cases_to_test(opened, ["validation"], data=data, task=task),
        cases_to_attack(opened, data=data, task=task),
    )
    assert tuple(case.case_id for case in tested.cases) == attacked.case_ids
    assert opened.config is not None
    assert tested.fold == opened.config.fold
    return attacked.case_ids


def _keep(data: Path, case_ids: tuple[str, ...]) -> None:
    index = json.loads((data / "dataset.json").read_text())
    index["training"] = [entry for entry in index["training"] if Path(entry["image"]).name[:7] in case_ids]
    (data / "dataset.json").write_text(json.dumps(index))


def _rename_cases(data: Path) -> None:
    for folder in ("imagesTr", "labelsTr"):
        for path in sorted((data / folder).iterdir()):
            path.rename(path.with_name(path.name.replace("small", "other")))
    text = (data / "dataset.json").read_text()
    (data / "dataset.json").write_text(text.replace("/small", "/other"))


def test_the_fold_of_the_config_says_what_is_held_out(tmp_path: Path) -> None:
    data, task = write_raw_task(tmp_path, "ct"), tmp_path / "stored" / TASK
    config = store_with_networks(tmp_path, data, "ct", ("one",))
    folds = json.loads((task / "splits.json").read_text())["folds"]
    # Not the split that would be drawn of these cases.
    (task / "splits.json").write_text(json.dumps({"folds": folds[1:] + folds[:1]}))
    names = [config, tmp_path / "one.pth"]
    opened = open_system(names, device="cpu", task_dir=task, overrides=["fold=2"])
    held_out = StoredTask(task).folds(2).validation
    assert _found(opened, data, task) == held_out == cases_to_attack(opened, task=task).case_ids
    others = tuple(case_id for case_id in CASE_IDS if case_id not in held_out)
    _keep(data, (*held_out, others[0]))  # as a folder of adversarial volumes has a few cases
    assert _found(opened, data, task) == held_out
    _keep(data, others[:1])
    with pytest.raises(ValueError, match="has none of the validation cases of fold 2"):
        cases_to_attack(opened, data=data, task=task)


def test_data_that_were_never_stored_are_split_by_themselves(tmp_path: Path) -> None:
    data, task = write_raw_task(tmp_path, "ct"), tmp_path / "stored" / TASK
    config = store_with_networks(tmp_path, data, "ct", ("one",))
    _rename_cases(data)
    opened = open_system([config, tmp_path / "one.pth"], device="cpu", task_dir=task)
    assert len(_found(opened, data, task)) == 1


def _opened(folder: Path) -> tuple[OpenedSystem, Path]:
    config = store_with_networks(folder, write_raw_task(folder, "ct"), "ct", ("one",))
    roots = [f"data_root={folder / 'raw'}", f"stored_root={folder / 'nowhere'}"]
    task = folder / "stored" / TASK
    return open_system([config, folder / "one.pth"], device="cpu", task_dir=task, overrides=roots), task


def _change_label(data: Path, case_id: str) -> None:
    path = data / "labelsTr" / f"{case_id}.nii.gz"
    file = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(np.zeros(file.shape, np.uint8), file.affine), path)


def test_raw_data_that_nobody_named_must_be_those_of_the_stored_task(tmp_path: Path) -> None:
    opened, task = _opened(tmp_path)
    data = tmp_path / "raw" / TASK
    held_out = StoredTask(task).folds(0).validation
    assert cases_to_test(opened, ["validation"], task=task).cases
    _change_label(data, held_out[0])
    for which in (["validation"], [held_out[0]], ["all"]):
        with pytest.raises(ValueError, match=f"its case '{held_out[0]}' is another one than in .*; name with --data"):
            cases_to_test(opened, which, task=task)
    assert cases_to_test(opened, ["validation"], data=data, task=task).cases  # named, so meant


def test_raw_data_of_other_cases_than_the_stored_task_are_refused_where_nobody_named_them(tmp_path: Path) -> None:
    opened, task = _opened(tmp_path)
    data = tmp_path / "raw" / TASK
    _rename_cases(data)
    with pytest.raises(ValueError, match=r"has none of the cases of .*, which was made from .*; name with --data"):
        cases_to_test(opened, ["validation"], task=task)
    assert cases_to_test(opened, ["validation"], data=data, task=task).cases


def test_cases_that_are_named_are_of_the_fold_only_where_it_holds_them_out(tmp_path: Path) -> None:
    opened, task = _opened(tmp_path)
    data, fold = tmp_path / "raw" / TASK, StoredTask(task).folds(0)
    for named, told in ((fold.validation, 0), ((*fold.validation, fold.train[0]), None)):
        tested = cases_to_test(opened, named, data=data, task=task)
        assert (tested.rule, tested.fold) == ("by id", told)
        assert fold_of_cases(opened, named, data=data, task=task) == told
        assert fold_of_cases(opened, named, task=task) == told
    _keep(data, fold.train[:1])  # of one case there is no split
    assert cases_to_test(opened, fold.train[:1], data=data, task=task).fold is None


@pytest.mark.parametrize(
    "command", [["attack", "--attack", "fgsm", "--sanity", "none"], ["certify", "--samples", "100", "--sigma", "0.25"]]
)
def test_records_of_cases_that_are_named_say_so(command: list[str], tmp_path: Path) -> None:
    _, task = _opened(tmp_path)
    case_id = StoredTask(task).folds(0).train[0]
    system = [str(tmp_path / "tiny.py"), str(tmp_path / "one.pth"), "--task", str(task), "--protocol", "patch"]
    asked = [command[0], *system, *command[1:], "--cases", case_id, "--out", str(tmp_path / "out")]
    assert main(asked) == 0
    identity = RecordFolder(tmp_path / "out").identity
    assert (identity.cases, identity.selection.rule, identity.fold) == ((case_id,), "by id", None)


@pytest.mark.parametrize("command", ["evaluate", "transfer"])
def test_commands_that_find_their_raw_data_themselves_refuse_others(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = store_with_networks(tmp_path, write_raw_task(tmp_path, "ct"), "ct", ("one", "two"))
    found = write_raw_task(tmp_path / "data", "ct")  # data_root of the config, from here
    for case_id in CASE_IDS:
        _change_label(found, case_id)
    monkeypatch.chdir(tmp_path)
    one, two = (str(tmp_path / f"{name}.pth") for name in ("one", "two"))
    asked = {
        "evaluate": [str(config), one, "--minutes", "30", "--protocol", "patch"],
        "transfer": [f"{config},{one}", f"{config},{two}", "--attack", "fgsm"],
    }
    assert main([command, *asked[command], "--task", str(tmp_path / "stored" / TASK), "--out", "out"]) == 2
    assert "is another one than in" in capsys.readouterr().err


def test_all_says_which_labelled_cases_it_is_without(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_raw_task(tmp_path, "ct")
    config = store_with_networks(tmp_path, data, "ct", ("one",))
    arguments = [str(config), str(tmp_path / "one.pth"), "--task", str(tmp_path / "stored" / TASK), "--data", str(data)]
    assert main(["test", *arguments, "--cases", "all", "--out", str(tmp_path / "out")]) == 0
    opened = open_system(arguments[:2], device="cpu", task_dir=tmp_path / "stored" / TASK)
    without, kept = cases_to_test(opened, ["all"], data=data).left_out, cases_to_test(opened, ["validation"], data=data)
    assert set(without) == set(CASE_IDS) - {case.case_id for case in kept.cases}
    assert f"is without {len(without)} cases" in " ".join(capsys.readouterr().out.split())
    assert kept.left_out == ()
