"""What a network has seen is not forgotten, however many trainings and tasks lie between."""

import dataclasses

import pytest

from rogseg.engine.model.fold_networks import united_lineage
from rogseg.models.lineage import Lineage
from tests.raw_tasks import raw_plan

PLAN = raw_plan("ct").to_json()


def lineage(name: str, training: tuple[str, ...], before: Lineage | None = None) -> Lineage:
    inherited = {} if before is None else before.seen
    return Lineage({**PLAN, "name": name}, training, (), ("new",), 0, 0, "config", inherited=inherited)


def test_what_an_earlier_training_of_another_task_saw_stays_known() -> None:
    first = lineage("Task06_Lung", ("lung_1", "lung_2"))
    third = lineage("Task06_Lung", ("lung_3",), before=lineage("Task03_Liver", ("liver_1",), before=first))
    assert third.seen == {"Task03_Liver": ("liver_1",), "Task06_Lung": ("lung_1", "lung_2", "lung_3")}
    assert third.seen_of(("lung_1", "new"), "Task06_Lung") == ("lung_1",)
    assert third.seen_of(("lung_1", "new"), "Task03_Liver") == ()
    assert third.seen_names(("lung_1", "liver_1", "new")) == ("liver_1", "lung_1")
    assert Lineage.from_json(third.to_json(), "here") == third


def test_a_list_of_inherited_cases_is_of_the_same_task() -> None:
    one = lineage("Task06_Lung", ("lung_3",))
    read = Lineage.from_json({**one.to_json(), "inherited": ["lung_1"]}, "here")
    assert read == dataclasses.replace(one, inherited={"Task06_Lung": ("lung_1",)})
    with pytest.raises(ValueError, match="inherited"):
        Lineage.from_json({**one.to_json(), "inherited": [1]}, "here")


def test_an_ensemble_has_seen_what_any_of_its_networks_has() -> None:
    other = lineage("Task06_Lung", ("lung_3",), before=lineage("Task06_Lung", ("new",)))
    both = united_lineage([lineage("Task06_Lung", ("lung_4",)), other])
    assert both is not None
    assert both.seen == {"Task06_Lung": ("lung_3", "lung_4", "new")}
    assert both.validation == ()
