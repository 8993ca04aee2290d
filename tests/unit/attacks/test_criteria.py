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


def test_the_dice_of_regions_that_share_classes() -> None:
    """The whole (1 and 2) is found, its core (2) is not: 0.5, where the two labels by themselves have 0.5 and 0."""
    targets = torch.tensor([1, 2, 0]).view(1, 1, 1, 3)
    logits = one_hot_logits(torch.tensor([1, 1, 0]).view(1, 1, 1, 3), 3)
    regions = ((1, 2), (2,))
    assert case_dice(logits, targets, regions).tolist() == [[1.0, 0.0]]
    assert case_dice(logits, targets).tolist() == [[pytest.approx(2 / 3), 0.0]]
    assert DiceBelow(0.4, regions)(logits, targets).tolist() == [False]
    assert DiceBelow(0.4)(logits, targets).tolist() == [True]


def test_a_region_that_the_case_lacks_has_no_dice() -> None:
    targets = torch.tensor([1, 0, 0]).view(1, 1, 1, 3)
    logits = one_hot_logits(torch.tensor([1, 2, 0]).view(1, 1, 1, 3), 3)
    assert case_dice(logits, targets, ((1, 2), (2,))).nan_to_num(nan=-1.0).tolist() == [[pytest.approx(2 / 3), -1.0]]


def test_volumes_are_ranked_by_verdict_then_by_nearness() -> None:
    """Dice 1, 0.4, 2/3 and none: what fell stands first, and of what nothing can be said last."""
    targets = torch.zeros(4, 1, 2, 4, dtype=torch.int64)
    targets[:3, 0, 0] = 1
    prediction = targets.clone()
    prediction[1, 0, 0, 1:] = 0
    prediction[2, 0, 0, 2:] = 0
    logits = one_hot_logits(prediction, 2)
    for threshold in (0.0, 0.5, 0.9):
        rank = DiceBelow(threshold)(logits, targets).double(), DiceBelow(threshold).rank(logits, targets)
        assert rank[1].argsort(descending=True).tolist() == [1, 2, 0, 3]
        assert rank[1][:3].gt(1).tolist() == rank[0][:3].bool().tolist()
        assert rank[1][3] == -torch.inf
