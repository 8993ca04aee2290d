"""The robust losses against their formulas."""

import pytest
import torch
from torch.nn import functional as F

from rogseg.trainers.losses import MART, TRADES
from rogseg.trainers.losses.mart import boosted_cross_entropy
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


def test_mart_weighs_the_divergence_by_the_clean_error_and_leaves_padding_out() -> None:
    model, batch = LinearModel(), make_batch()
    batch.movable[1, :, 1:] = False
    adversarial = batch.inputs + 0.3
    losses = MART(consistency=4.0)(model, batch, adversarial)
    boosted, held = [], []
    for case, *voxel in batch.movable[:, 0].nonzero().tolist():
        index = (case, slice(None), *voxel)
        p, q = (model.layer(volumes)[index].softmax(0).double() for volumes in (batch.inputs, adversarial))
        true = int(batch.targets[(case, *voxel)])
        boosted.append(-q[true].log() - (1 - q[1 - true]).log())  # of two classes, the other one is the largest
        held.append((p * (p / q).log()).sum() * (1 - p[true]))
    assert losses["loss_boosted_ce"].item() == pytest.approx(torch.stack(boosted).mean().item(), rel=1e-5)
    assert losses["loss_consistency"].item() == pytest.approx(4 * torch.stack(held).mean().item(), rel=1e-4)
    assert set(losses) == {"loss_boosted_ce", "loss_consistency"}


def test_what_trades_adds_does_not_hang_on_padding_or_on_who_shares_the_mini_batch() -> None:
    """Padding of a value of its own changes nothing, and two processes with a case each have the loss of one."""
    loss, model, small = TRADES(), LinearModel(), make_batch(shape=(2, 3, 2))
    padded = make_batch()
    padded.inputs[:, :, 2:], padded.targets[:, 2:], padded.movable[1, :, 2:] = 9.0, 1, False
    padded.inputs[1, :, :2], padded.targets[1, :2] = small.inputs[1], small.targets[1]
    adversarial = padded.inputs + 0.3
    together = loss(model, padded, adversarial)
    alone = [
        loss(model, padded.of_cases(chosen), adversarial[chosen])
        for chosen in (torch.tensor([True, False]), torch.tensor([False, True]))
    ]
    cropped = loss(model, small.of_cases(torch.tensor([False, True])), small.inputs[1:] + 0.3)
    key = "loss_divergence"
    torch.testing.assert_close(alone[1][key], cropped[key])
    torch.testing.assert_close(together[key], (alone[0][key] + alone[1][key]) / 2)
    ascended = loss.objective(model, padded)(model.layer(adversarial), padded.targets)
    assert 6 * ascended[1].item() == pytest.approx(alone[1][key].item(), rel=1e-4)


def test_a_case_without_a_voxel_that_may_move_adds_nothing() -> None:
    model, batch = LinearModel(), make_batch()
    batch.movable[:] = False
    losses = TRADES()(model, batch, batch.inputs + 0.3) | MART()(model, batch, batch.inputs + 0.3)
    assert [losses[key] for key in ("loss_divergence", "loss_boosted_ce", "loss_consistency")] == [0, 0, 0]


def test_the_boosted_cross_entropy_takes_the_largest_of_the_other_classes() -> None:
    p = torch.tensor([0.2, 0.5, 0.3]).view(1, 3, 1, 1, 1)
    for true, rival in ((0, 0.5), (1, 0.3), (2, 0.5)):
        value = boosted_cross_entropy(p.log(), torch.full((1, 1, 1, 1), true))
        expected = -p[0, true].log() - torch.tensor(1 - rival).log()
        assert value.item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_boosted_cross_entropy_and_its_gradient_are_finite_where_a_wrong_class_is_certain() -> None:
    logits = torch.tensor([0.0, 200.0]).view(1, 2, 1, 1, 1).requires_grad_()
    value = boosted_cross_entropy(logits, torch.zeros(1, 1, 1, 1, dtype=torch.int64)).sum()
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.item() == pytest.approx(400)
    assert gradient.flatten().tolist() == pytest.approx([-2, 2])


def test_weights_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(ValueError, match="beta=0"):
        TRADES(beta=0.0)
    with pytest.raises(ValueError, match="consistency=-1"):
        MART(consistency=-1.0)
