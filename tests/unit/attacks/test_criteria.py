import pytest
import torch

from rogseg.attacks.criteria import DiceBelow, case_dice


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
