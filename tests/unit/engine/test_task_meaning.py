"""Data whose labels or channels are others than those of a system are refused where a command finds its cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from rogseg.engine.case_finding import cases_to_attack, cases_to_test
from rogseg.engine.model.open_system import OpenedSystem, open_system
from tests.raw_tasks import TASK, store_with_networks, write_raw_task


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> OpenedSystem:
    folder = tmp_path_factory.mktemp("made")
    config = store_with_networks(folder, write_raw_task(folder, "ct"), "ct", ("one",))
    return open_system([config, folder / "one.pth"], device="cpu", task_dir=folder / "stored" / TASK)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": {"0": "background", "1": "Lesion", "2": "organ"}}, "'Lesion' has the label 1, and one takes 2"),
        ({"labels": {"background": 0, "organ": 2, "other": 1}}, "'organ' has the label 2, and one takes 1"),
        ({"modality": {"0": "T1w"}}, "channel 0 is T1w, and one takes CT there"),
    ],
)
def test_another_meaning_is_refused(
    tmp_path: Path, opened: OpenedSystem, changed: dict[str, Any], message: str
) -> None:
    data = write_raw_task(tmp_path, "ct")
    index = json.loads((data / "dataset.json").read_text())
    (data / "dataset.json").write_text(json.dumps({**index, **changed}))
    with pytest.raises(ValueError, match=message):
        cases_to_test(opened, ["all"], data=data)
    with pytest.raises(ValueError, match=message):
        cases_to_attack(opened, data=data)


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": {"0": "background", "1": "liver", "2": "2"}},  # other words, and a name that is a number
        {"labels": {"background": 0, "organ": 1}},
        {"modality": {"0": "CTA"}},
    ],
)
def test_other_words_say_nothing(tmp_path: Path, opened: OpenedSystem, changed: dict[str, Any]) -> None:
    data = write_raw_task(tmp_path, "ct")
    index = json.loads((data / "dataset.json").read_text())
    (data / "dataset.json").write_text(json.dumps({**index, **changed}))
    assert cases_to_test(opened, ["all"], data=data).cases


@pytest.mark.parametrize(
    ("labels", "noted"),
    [
        ({"0": "background", "1": "Organ", "2": "LESION"}, ""),
        ({"0": "background", "1": "organ", "2": "cyst"}, "'cyst' (label 2) is measured as its 'lesion'"),
        ({"background": 0, "liver": 1, "lesion": 2}, "'liver' (label 1) is measured as its 'organ'"),
    ],
)
def test_other_names_of_one_value_stand_in_every_record(
    tmp_path: Path, opened: OpenedSystem, labels: dict[str, Any], noted: str
) -> None:
    data = write_raw_task(tmp_path, "ct")
    index = json.loads((data / "dataset.json").read_text())
    (data / "dataset.json").write_text(json.dumps({**index, "labels": labels}))
    source = cases_to_attack(opened, data=data)
    for case in cases_to_test(opened, ["all"], data=data).cases:
        assert any(noted in note for note in case.notes) if noted else not case.notes
    notes = source.load(source.case_ids[0]).notes
    assert [note for note in notes if "is measured as" in note] == [note for note in notes if noted and noted in note]
    assert bool(noted) == any("is measured as" in note for note in notes)
