import pytest
import torch

from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.objectives import HardDice, SoftDice


def one_hot_logits(prediction: torch.Tensor, num_classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(prediction, num_classes).movedim(-1, 1).float()


def test_dice_below_a_threshold_per_case() -> None:
    targets = torch.zeros(3, 1, 2, 4, dtype=torch.int64)
    targets[0, 0, 0] = 1
    targets[1, 0, 0] = 1
    prediction = targets.clone()
    prediction[1, 0, 0, 1:] = 0  # 2 * 1 / (1 + 4) = 0.4
    prediction[2, 0, 0, 0] = 1  # a false positive where there is no foreground
    logits = one_hot_logits(prediction, 2)
    assert case_dice(logits, targets)[:2].flatten().tolist() == pytest.approx([1.0, 0.4])
    assert bool(case_dice(logits, targets)[2].isnan())
    assert DiceBelow(0.41)(logits, targets).tolist() == [False, True, False]
    assert DiceBelow(0.4)(logits, targets).tolist() == [False, False, False]


def test_a_threshold_is_a_dice() -> None:
    with pytest.raises(ValueError, match="Dice lies in"):
        DiceBelow(50)


def test_a_class_that_the_case_lacks_counts_for_neither_criterion_nor_objectives() -> None:
    """One voxel of class 2, which the case does not have, changes nothing; a lost voxel of class 1 does."""
    targets = torch.zeros(1, 1, 2, 4, dtype=torch.int64)
    targets[0, 0, 0] = 1
    appears, lost = targets.clone(), targets.clone()
    appears[0, 0, 1, 0] = 2
    lost[0, 0, 0, 0] = 0
    clean, appears, lost = (one_hot_logits(labels, 3) for labels in (targets, appears, lost))
    assert case_dice(appears, targets).nan_to_num(nan=-1.0).tolist() == [[1.0, -1.0]]
    assert DiceBelow(0.99)(appears, targets).tolist() == [False]
    assert DiceBelow(0.99)(lost, targets).tolist() == [True]
    for objective in (HardDice(), SoftDice()):
        assert float(objective(100 * appears, targets)) == pytest.approx(float(objective(100 * clean, targets)))
        assert float(objective(100 * lost, targets)) > float(objective(100 * clean, targets)) + 0.1
