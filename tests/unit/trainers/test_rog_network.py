"""The trainers on a small ROG with its real losses."""

import copy
from typing import Any

import pytest
import torch

from rogseg.registry import MODELS, TRAINERS
from rogseg.trainers import FreeTrainer, StandardTrainer
from tests.unit.trainers.linear_model import make_batch, sgd, weights

SHAPE = (16, 32, 16)
STRIDES = [[1, 1, 1], [2, 2, 2], [2, 2, 2]]
MODEL = {
    "type": "Segmentor",
    "backbone": {"type": "ROG", "in_channels": 1, "strides": STRIDES, "channels": 4},
    "head": {"type": "ROGHead", "num_classes": 2, "scale": STRIDES[0], "channels": 4},
    "losses": [{"type": "DiceLoss"}, {"type": "CrossEntropyLoss"}],
}
PGD = {"type": "PGDCraft", "num_iterations": 2}


def build() -> torch.nn.Module:
    torch.manual_seed(0)
    model: torch.nn.Module = MODELS.build(copy.deepcopy(MODEL))
    return model.train()


def test_free_with_one_replay_and_epsilon_zero_is_standard_training_bit_for_bit() -> None:
    results = []
    for trainer in (FreeTrainer(num_replays=1, epsilon=0.0), StandardTrainer()):
        model = build()
        optim = sgd(model, 0.1)
        logs = [trainer.step(model, make_batch(seed, shape=SHAPE), optim) for seed in range(3)]
        results.append((weights(model), [step["loss"] for step in logs], [step["loss_dice"] for step in logs]))
    for one, other in zip(*results, strict=True):
        assert all(map(torch.equal, one, other))


@pytest.mark.parametrize(
    "config",
    [
        {"type": "FreeTrainer", "num_replays": 2},
        {"type": "AdversarialTrainer", "craft": PGD},
        {"type": "AdversarialTrainer", "craft": {"type": "NFGSMCraft"}},
        {"type": "AdversarialTrainer", "craft": {**PGD, "start": "noise"}, "loss": {"type": "TRADES"}},
        {"type": "AWPTrainer", "trainer": {"type": "AdversarialTrainer", "craft": {"type": "FGSMCraft"}}},
    ],
)
def test_an_adversarial_step_trains_the_weights_and_uses_its_ball(config: dict[str, Any]) -> None:
    model = build()
    before = weights(model)
    logs = TRAINERS.build(config).step(model, make_batch(shape=SHAPE), sgd(model, 0.1))
    # A norm over the two voxels of the deepest level, or after a single channel, leaves what feeds it no gradient.
    still = sum(map(torch.equal, before, weights(model)))
    assert still <= 0.05 * len(before)
    assert logs["delta_over_epsilon"] > 0.3
    assert {"loss", "loss_dice", "loss_ce", "clean_loss", "adversarial_loss"} <= set(logs)
