"""Dice on label maps that can be counted by hand."""

import math

import pytest
import torch

from rogseg.metrics import dice_per_class, mean_foreground_dice


def test_values_and_absent_classes() -> None:
    targets = torch.zeros(2, 4, 1, 1, dtype=torch.int64)
    prediction = targets.clone()
    targets[0, :2] = 1  # class 1: two voxels, one found; class 2 only predicted; class 3 in neither
    prediction[0, 1] = 1
    prediction[0, 2] = 2
    dice = dice_per_class(prediction, targets, 4)
    assert dice[0, :2].tolist() == pytest.approx([2 / 3, 0.0])
    assert dice[0, 2].isnan()
    assert dice[1].isnan().all()
    mean = mean_foreground_dice(dice).tolist()
    assert mean[0] == pytest.approx(1 / 3)
    assert math.isnan(mean[1])


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shape"):
        dice_per_class(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 3), 2)
