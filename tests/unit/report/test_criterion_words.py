import dataclasses
from pathlib import Path
from typing import Any

import pytest

import rogseg.attacks  # noqa: F401  (registers the criteria)
from rogseg.evaluation.identity import CriterionSetting
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.registry import CRITERIA
from rogseg.report.records.criterion_words import criterion_words
from rogseg.report.records.evaluations import read_evaluations
from tests.identities import IDENTITY


def words(folder: Path, config: dict[str, Any]) -> str:
    criterion = CriterionSetting(config, None, None, ())
    RecordFolder(folder, dataclasses.replace(IDENTITY, criterion=criterion, classes=("liver", "cancer")))
    return criterion_words(read_evaluations([folder]))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"type": "DiceBelow", "threshold": 0.4}, "below a Dice of 0.4"),
        (
            {"type": "VolumeOff", "direction": "under", "share": 0.2},
            "with the volume of the foreground at least 20% too small",
        ),
        ({"type": "VolumeOff", "direction": "over", "target_class": 1}, "with the volume of liver too large"),
        ({"type": "LesionsMissed", "target_class": -1}, "with all lesions (cancer) missed"),
        (
            {"type": "LesionsMissed", "missed": 0.5, "share": 0.1},
            "with at least 50% of the lesions (cancer) missed, of each at most 10% found",
        ),
        ({"type": "ClassVanished", "target_class": 2, "share": 0.125}, "with at most 12.5% of cancer found"),
        ({"type": "ClassGrown", "factor": 2.0}, "with cancer found at 2 times its size or more"),
        ({"type": "ClassAppears", "target_class": 7}, "with class 7 found where there is none"),
        ({"type": "Mine", "limit": 3}, "by Mine (limit 3)"),
    ],
)
def test_a_criterion_is_said_by_the_names_of_classes(config: dict[str, Any], said: str, tmp_path: Path) -> None:
    assert words(tmp_path / "records", config) == said


@pytest.mark.parametrize("kind", sorted(CRITERIA.module_dict))
def test_no_criterion_of_ours_is_said_by_the_name_of_its_class(kind: str, tmp_path: Path) -> None:
    if CRITERIA.module_dict[kind].__module__.startswith("rogseg."):
        assert not words(tmp_path / "records", {"type": kind}).startswith("by ")
