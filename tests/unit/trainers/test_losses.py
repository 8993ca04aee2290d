"""The robust losses against their formulas."""

import pytest
import torch
from torch.nn import functional as F

from rogseg.trainers.losses import TRADES
from tests.unit.trainers.linear_model import LinearModel, make_batch


def test_trades_is_clean_loss_and_weighted_divergence_per_voxel() -> None:
    model, batch = LinearModel(), make_batch()
    adversarial = batch.inputs + 0.1
    losses = TRADES(beta=4.0)(model, batch, adversarial)
    clean, other = model.layer(batch.inputs), model.layer(adversarial)
    p, q = clean.softmax(1), other.softmax(1)
    expected = 4 * (p * (p / q).log()).sum(1).mean()
    assert torch.allclose(losses["loss_divergence"], expected, rtol=1e-4)
    assert torch.allclose(losses["loss_ce"], F.cross_entropy(clean, batch.targets))
    assert set(losses) == {"loss_ce", "loss_divergence"}


def test_weights_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="beta=0"):
        TRADES(beta=0.0)
