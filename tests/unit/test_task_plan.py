import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from rogseg.task_plan import ForegroundClass, TaskPlan
from tests.tiny_task import tiny_plan

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "configs" / "_base_" / "tasks").glob("*.json"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_plans_go_to_json_and_back_unchanged(path: Path) -> None:
    data = json.loads(path.read_text())["task"]
    plan = TaskPlan.load(path)
    assert TaskPlan.from_json(plan.to_json()) == plan
    assert plan.to_json() == data


def test_an_orientation_is_kept_and_none_leaves_no_trace() -> None:
    plan = dataclasses.replace(tiny_plan(), orientation="PIR")
    assert plan.to_json()["orientation"] == "PIR"
    assert TaskPlan.from_json(plan.to_json()) == plan
    assert "orientation" not in tiny_plan().to_json()


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"name": "../../x"}, "cannot name a file"),
    ({"name": ""}, "cannot name a file"),
    ({"name": 4}, "task plan.name must be a text"),
    ({"spacing": [1, 1]}, "task plan.spacing must be a list of 3"),
    ({"spacing": [1, 1, 0]}, "spacing must be three positive numbers"),
    ({"spacing": ["a", 1, 1]}, r"task plan.spacing\[0\] must be a finite number"),
    ({"patch_size": [17, 16, 16]}, "patch_size .* must be divisible by"),
    ({"patch_size": 16}, "task plan.patch_size must be a list"),
    ({"strides": [[1, 1, 1], [2, 2, 2]]}, "strides must be a list of 3"),
    ({"strides": [[1, 1, 1], [2, 2, 2], [3, 1, 1]]}, "strides must be three triples of 1 and 2"),
    ({"channels": []}, "no channel"),
    ({"channels": None}, "task plan.channels must be a list"),
    ({"classes": {}}, "task plan.classes must be a list"),
    ({"label_values": [0, 1, 1]}, "one distinct value"),
    ({"orientation": "RAR"}, "orientation must be three letters"),
    ({"orientation": "ras"}, "orientation must be three letters"),
    ({"orientation": 3}, "task plan.orientation must be a text"),
    ({"extra": 1}, r"unknown keys \['extra'\]"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_a_bad_plan_is_named_in_one_sentence(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"task": {**tiny_plan().to_json(), **change}}))
    with pytest.raises(ValueError, match=rf"plan\.json: not a task plan \(.*{message}"):
        TaskPlan.load(path)


@pytest.mark.parametrize("text", ["null", "[]", "{}", '{"task": null}', '{"task": []}', "3", "{"])
def test_what_is_no_plan_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(ValueError, match=r"plan\.json: not (a task plan|usable JSON).*run rogseg preprocess"):
        TaskPlan.load(tmp_path / "plan.json")


def test_too_many_classes_and_twins_are_refused() -> None:
    plan = tiny_plan()
    many = tuple(ForegroundClass(f"class {number}", "organ") for number in range(1, 256))
    most = dataclasses.replace(plan, classes=many[:-1], label_values=tuple(range(255)))
    assert most.num_classes == 255
    with pytest.raises(ValueError, match="256 classes; at most 255 with the background"):
        dataclasses.replace(plan, classes=many, label_values=tuple(range(256)))
    with pytest.raises(ValueError, match="two classes have one name"):
        dataclasses.replace(plan, classes=(plan.classes[0],) * 2)
