"""What is minimised: the loss of every head, of classes or of regions, and what an attack in training ascends."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.engine.hardening.trainee import Trainee
from rogseg.systems.base import SystemClass
from rogseg.systems.label_classes import LabelClasses


class Heads(nn.Module):
    """Gives the logits that it was made of."""

    def __init__(self, *logits: Tensor) -> None:
        super().__init__()
        self.logits = nn.ParameterList(logits)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.logits)


INPUTS, TARGETS = torch.zeros(1, 1, 4, 4, 4), torch.arange(64).reshape(1, 4, 4, 4) % 3


def test_each_head_is_held_against_the_targets_on_its_grid() -> None:
    generator = torch.Generator().manual_seed(0)
    fine, middle, coarse = (torch.randn(1, 3, size, size, size, generator=generator) for size in (4, 2, 1))
    trainee = Trainee(Heads(fine, middle, coarse), lambda logits: logits, ((1,), (2,)), 3)
    losses = trainee(INPUTS, TARGETS, mode="loss")
    expected = 2 / 3 * functional.cross_entropy(fine, TARGETS)
    expected += 1 / 3 * functional.cross_entropy(middle, TARGETS[:, 1::2, 1::2, 1::2])
    torch.testing.assert_close(losses["loss_ce"], expected)
    assert set(losses) == {"loss_ce", "loss_dice"}
    assert torch.equal(trainee(INPUTS), fine)


def test_independent_channels_are_trained_against_the_masks_of_their_regions() -> None:
    entries = (SystemClass("whole", (1, 2)), SystemClass("core", (2,)))
    classes = LabelClasses(entries, written=(1, 2), regions=True, ignore_value=None)
    masks = torch.stack([TARGETS > 0, TARGETS == 2], dim=1)
    right = 20 * (2.0 * masks - 1)
    trainee = Trainee(Heads(right), classes.scores, classes.class_indices, 3)
    losses = trainee(INPUTS, TARGETS, mode="loss")
    assert all(float(value.detach()) < 1e-6 for value in losses.values())
    assert torch.equal(trainee(INPUTS).argmax(1), TARGETS)
    # Undecided everywhere: ln 2, and the Dice of a half with each mask.
    losses = Trainee(Heads(torch.zeros_like(right)), classes.scores, classes.class_indices, 3)(INPUTS, TARGETS, "loss")
    torch.testing.assert_close(losses["loss_ce"], torch.tensor(2.0).log())
    sizes = masks.flatten(2).sum(2)
    dice = (sizes + 1) / (32 + sizes + 1)
    torch.testing.assert_close(losses["loss_dice"], (1 - dice).mean())


@pytest.mark.parametrize("mode", ["loss", "tensor"])
def test_gradients_reach_inputs_and_weights(mode: str) -> None:
    network = nn.Conv3d(1, 3, 1)
    trainee = Trainee(network, lambda logits: logits, ((1,), (2,)), 3)
    inputs = torch.randn(1, 1, 4, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    given = trainee(inputs, TARGETS, mode)
    (given.square().sum() if isinstance(given, Tensor) else sum(given.values())).backward()
    assert inputs.grad is not None
    assert inputs.grad.abs().sum() > 0
    assert network.weight.grad is not None
