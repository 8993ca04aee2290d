"""Post-processing is switched on for the class that it helps and for no other."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rogseg.engine.accuracy.postprocessing_choice import choose_postprocessing
from rogseg.engine.model.recorded_plan import plan_path, recorded_plan
from rogseg.inference import with_postprocessing
from tests.unit.inference.test_postprocessing import make_plan


def target_map() -> np.ndarray:
    """A liver, and a tumour that is smaller than the size under which tumours are fused."""
    target = np.zeros((16, 10, 10), dtype=np.uint8)
    target[1:8, 2:8, 2:8] = 1
    target[3, 4, 4:6] = 2
    return target


def test_only_what_helps_is_chosen() -> None:
    target, prediction = target_map(), target_map()
    prediction[12:14, 4:6, 4:6] = 1  # a second liver
    choice = choose_postprocessing([(prediction, target), (np.zeros_like(target), np.zeros_like(target))], make_plan())
    assert [entry.postprocess for entry in choice.plan.classes] == [True, False]
    liver = int((target == 1).sum())
    assert choice.dice == pytest.approx((2 * liver / (2 * liver + 8) + 1) / 2)
    assert choice.dice_with[0] == pytest.approx(1)
    assert choice.dice_with[1] < choice.dice
    with pytest.raises(ValueError, match="none of the cases"):
        choose_postprocessing([(np.zeros_like(target), np.zeros_like(target))], make_plan())


def test_the_choice_is_found_beside_its_checkpoint(tmp_path: Path) -> None:
    plan, checkpoint = make_plan(), tmp_path / "best.pth"
    content: dict[str, Any] = {"meta": {}}
    assert recorded_plan(content, checkpoint, plan) == plan
    chosen = with_postprocessing(plan, [2])
    assert plan_path(checkpoint).name == "best.plan.json"
    plan_path(checkpoint).write_text(json.dumps({"task": chosen.to_json()}))
    assert recorded_plan(content, checkpoint, plan) == chosen
    with pytest.raises(ValueError, match="differs from the config's plan"):
        recorded_plan(content, checkpoint, dataclasses.replace(plan, spacing=(1.0, 1.0, 2.0)))
