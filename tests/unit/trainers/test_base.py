import pytest
import torch

from rogseg.trainers import StandardTrainer, total_loss
from tests.unit.trainers.linear_model import LinearModel, make_batch, sgd


def test_total_loss_adds_the_terms_and_keeps_the_graph() -> None:
    dice, entropy = torch.tensor(0.25, requires_grad=True), torch.tensor(0.5, requires_grad=True)
    total, logs = total_loss({"loss_dice": dice, "loss_ce": entropy})
    assert [gradient.item() for gradient in torch.autograd.grad(total, [dice, entropy])] == [1, 1]
    assert {key: value.item() for key, value in logs.items()} == {"loss": 0.75, "loss_dice": 0.25, "loss_ce": 0.5}
    assert not logs["loss"].requires_grad


@pytest.mark.parametrize("key", ["dice", "lossdice", "aux_loss", "loss_", "acc"])
def test_total_loss_refuses_other_keys_by_name(key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        total_loss({"loss_ce": torch.tensor(1.0), key: torch.tensor(1.0)})


def test_total_loss_refuses_nothing_and_unreduced_terms() -> None:
    with pytest.raises(ValueError, match="no loss"):
        total_loss({})
    with pytest.raises(ValueError, match="loss_ce must be a scalar"):
        total_loss({"loss_ce": torch.ones(2)})
    with pytest.raises(ValueError, match="the losses are a Tensor: return a dict"):
        total_loss(torch.tensor(1.0))  # type: ignore[arg-type]


def test_standard_training_is_a_plain_step_of_the_optimizer() -> None:
    batch, model, reference = make_batch(), LinearModel(), LinearModel()
    logs = StandardTrainer().step(model, batch, sgd(model))
    losses = reference(batch.inputs, batch.targets, mode="loss")
    assert isinstance(losses, dict)
    losses["loss_ce"].backward()
    torch.optim.SGD(reference.parameters(), lr=0.01, momentum=0.9).step()
    assert torch.equal(model.layer.weight, reference.layer.weight)
    assert logs["loss"] == losses["loss_ce"]


def test_standard_training_has_no_state_and_refuses_that_of_another_trainer() -> None:
    trainer = StandardTrainer()
    trainer.load_state_dict(trainer.state_dict())
    with pytest.raises(ValueError, match="another trainer"):
        trainer.load_state_dict({"num_steps": 3})
