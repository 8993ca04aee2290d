import pytest
import torch

from rogseg.models.losses import DiceLoss


def test_by_hand() -> None:
    """Two voxels of class 1, one hit and one missed: Dice 2/3 without smoothing; the absent class 2 costs nothing."""
    targets = torch.tensor([0, 1, 1, 0]).view(1, 4, 1, 1)
    predicted = torch.tensor([0, 1, 0, 0])
    logits = torch.where(torch.arange(3)[:, None] == predicted, 50.0, -50.0).view(1, 3, 4, 1, 1)
    expected = ((1 - (2 + 1) / (3 + 1)) + 0) / 2
    assert DiceLoss()(logits, targets).item() == pytest.approx(expected)
    assert DiceLoss(weight=3.0)(logits, targets).item() == pytest.approx(3 * expected)
    assert DiceLoss(smooth=1e-6)(logits, targets).item() == pytest.approx((1 / 3 + 0) / 2, abs=1e-4)


def test_it_is_the_mean_over_cases() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(2, 3, 4, 4, 4), torch.randint(0, 3, (2, 4, 4, 4))
    singly = [DiceLoss()(logits[i : i + 1], targets[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(DiceLoss()(logits, targets), torch.stack(singly).mean())
