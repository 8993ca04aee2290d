import json

import pytest

from rogseg.storage import CaseProperties
from tests.unit.storage.stored_examples import properties


@pytest.mark.parametrize("labelled", [True, False])
def test_properties_come_back_from_their_text(labelled: bool) -> None:
    case = properties("a", (4, 5, 6), labelled)
    assert CaseProperties.from_json(json.loads(json.dumps(case.to_json()))) == case
    assert CaseProperties.from_json(case.to_json()) == case


def test_text_names_classes_and_lists_their_voxels() -> None:
    data = json.loads(json.dumps(properties("a", (4, 5, 6)).to_json()))
    assert data["class_places"] == {"1": [45, 71], "2": []}
    assert data["raw_affine"][0] == [0.7, 0.0, 0.0, -12.5]
    assert data["network_shape"] == [4, 5, 6]


def test_voxels_are_not_copied() -> None:
    case = properties("a", (4, 5, 6))
    assert case.class_places is not None
    assert case.to_json()["class_places"]["1"] is case.class_places[1]
