import math

import pytest
import torch

from rogseg.models.losses import CrossEntropyLoss


def test_even_odds_cost_the_logarithm_of_the_classes() -> None:
    logits, targets = torch.zeros(2, 3, 2, 2, 2), torch.ones(2, 2, 2, 2, dtype=torch.long)
    assert CrossEntropyLoss()(logits, targets).item() == pytest.approx(math.log(3))
    assert CrossEntropyLoss(weight=0.5)(logits, targets).item() == pytest.approx(math.log(3) / 2)
