import json

import pytest
import torch
from torch import nn

from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.estimation.cost_estimate import count_macs, count_parameters
from rogseg.registry import MODELS
from tests.shared_data import shared_path
from tests.tiny_training import ROOT

TASKS = sorted(path.stem for path in (ROOT / "configs/_base_/tasks").glob("*.json") if "light" not in path.stem)


def test_a_network_that_can_be_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv3d(2, 4, 3, padding=1), nn.SiLU(), nn.Conv3d(4, 3, 1, bias=False)).to("meta")
    assert count_parameters(network) == 2 * 4 * 27 + 4 + 4 * 3
    assert count_macs(network, (1, 2, 5, 6, 7)) == (2 * 4 * 27 + 4 * 3) * 5 * 6 * 7


@pytest.mark.parametrize("task", TASKS)
def test_the_configs_are_as_large_as_the_authors_say(task: str) -> None:
    config = load_config(ROOT / f"configs/rog/rog_standard_{task}.py")
    plan = plan_of(config)
    facts = json.loads(shared_path("facts/msd_tasks.json").read_text())[plan.name]
    with torch.device("meta"):
        network = MODELS.build(config.model)
    assert count_parameters(network) == facts["rog_num_parameters"]
    macs = count_macs(network, (1, plan.num_channels, *plan.patch_size))
    assert macs / 1e9 == pytest.approx(facts["rog_gmacs_at_train_patch"], abs=6e-4)
