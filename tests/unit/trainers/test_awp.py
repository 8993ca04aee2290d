import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from rogseg.registry import TRAINERS
from rogseg.trainers import AdversarialTrainer, AWPTrainer
from rogseg.trainers.crafts import FGSMCraft, PGDCraft
from tests.unit.trainers.linear_model import SmallNetwork, make_batch, sgd, weights


def test_it_applies_the_gradient_of_moved_weights_to_the_weights_as_they_were() -> None:
    torch.manual_seed(0)
    model, batch = SmallNetwork(), make_batch()
    before = copy.deepcopy(model)
    AWPTrainer(AdversarialTrainer(PGDCraft(), epsilon=0.0), gamma=0.1).step(model, batch, sgd(model, 0.5))

    def gradients(module: SmallNetwork) -> list[Tensor]:
        losses = module(batch.inputs, batch.targets, mode="loss")
        assert isinstance(losses, dict)
        return list(torch.autograd.grad(losses["loss_ce"], list(module.parameters())))

    moved = copy.deepcopy(before)
    directions = gradients(before)
    with torch.no_grad():
        for parameter, gradient in zip(moved.parameters(), directions, strict=True):
            if parameter.ndim > 1:
                parameter.add_(0.1 * parameter.norm() * gradient / gradient.norm())
    for after, old, gradient in zip(weights(model), weights(before), gradients(moved), strict=True):
        assert torch.allclose(after, old - 0.5 * gradient, atol=1e-6)


def test_it_waits_for_its_warmup() -> None:
    results = []
    for trainer in (AWPTrainer(AdversarialTrainer(PGDCraft()), num_warmup_steps=2), AdversarialTrainer(PGDCraft())):
        torch.manual_seed(0)
        model = SmallNetwork()
        optim = sgd(model)
        for seed in range(2):
            trainer.step(model, make_batch(seed), optim)
        results.append(weights(model))
    assert all(map(torch.equal, *results))


def test_it_accumulates_like_a_plain_update() -> None:
    model = SmallNetwork()
    trainer, optim = AWPTrainer(AdversarialTrainer(FGSMCraft())), sgd(model, 0.1, accumulative_counts=2)
    before = weights(model)
    trainer.step(model, make_batch(0), optim)
    assert all(map(torch.equal, before, weights(model)))
    trainer.step(model, make_batch(1), optim)
    assert not any(map(torch.equal, before, weights(model)))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"trainer": {"type": "FreeTrainer"}}, "FreeTrainer crafts no"),
        ({"trainer": {"type": "AdversarialTrainer", "craft": {"type": "PGDCraft"}}, "gamma": 0.0}, "gamma=0.0"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TRAINERS.build({"type": "AWPTrainer", **config})
