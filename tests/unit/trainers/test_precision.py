"""Mixed precision: the perturbation moves the same way, whatever the loss is scaled by."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from rogseg.trainers import FreeTrainer
from tests.contract.trainer_contracts import CONTRACTS
from tests.unit.trainers.linear_model import LinearModel, SmallNetwork, ascent_sign, make_batch

EPSILON = 0.1


class Bfloat16OptimWrapper(OptimWrapper):
    """Autocast to bfloat16 with a scaled loss, as a scaler of gradients does it."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16):
            yield

    def backward(self, loss: Tensor) -> None:
        super().backward(loss * 1024)
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad /= 1024


def bfloat16(model: nn.Module) -> OptimWrapper:
    return Bfloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.05))


def test_free_moves_along_the_same_signs_under_autocast_and_scaling() -> None:
    model, batch = LinearModel(), make_batch()
    batch.inputs.clamp_(-0.3, 0.3)
    trainer = FreeTrainer(num_replays=2, epsilon=EPSILON, step_size=0.5)
    logs = trainer.step(model, batch, bfloat16(model))
    assert trainer.kept is not None
    assert trainer.kept.dtype == torch.float32
    assert torch.allclose(trainer.kept, EPSILON * ascent_sign(batch.targets), atol=1e-6)
    assert logs["delta_over_epsilon"].item() == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_trainer_learns_in_bfloat16(name: str) -> None:
    torch.manual_seed(0)
    model, trainer = SmallNetwork(), CONTRACTS[name].build(8 / 255)
    optim = bfloat16(model)
    losses = [trainer.step(model, make_batch(), optim)["loss"].item() for _ in range(30)]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())


def test_a_gradient_lost_to_overflow_leaves_no_nan_behind() -> None:
    class Overflowing(LinearModel):
        def forward(self, inputs: Tensor, targets: Tensor | None = None, mode: str = "tensor") -> dict[str, Tensor]:
            losses = super().forward(inputs, targets, mode)
            assert isinstance(losses, dict)
            return {"loss_ce": losses["loss_ce"] + 0 * (inputs * torch.inf).nan_to_num(0.0, 0.0, 0.0).sum() * torch.nan}

    model = Overflowing()
    trainer = FreeTrainer(num_replays=2, epsilon=EPSILON, clean_loss_interval=0)
    trainer.step(model, make_batch(), OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.0)))
    assert trainer.kept is not None
    assert torch.isfinite(trainer.kept).all()
