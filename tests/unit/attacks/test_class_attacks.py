import math

import pytest
import torch
from torch import Tensor

from rogseg.attacks.apgd import APGD
from rogseg.attacks.criteria import ClassGrown, ClassVanished
from rogseg.attacks.objectives.remove_class import GrowClass, RemoveClass
from rogseg.attacks.threats import LinfThreat
from rogseg.cases import IntensityBox


def model(inputs: Tensor) -> Tensor:
    """Classes by intensity: background near 0, organ near 1, lesion near 2."""
    centres = torch.arange(3.0).view(1, 3, 1, 1, 1)
    return -4 * (inputs - centres).square()


def problem() -> tuple[Tensor, Tensor, LinfThreat]:
    targets = torch.zeros(1, 6, 6, 2, dtype=torch.int64)
    targets[0, 1:5, 1:5] = 1
    targets[0, 2:4, 2:4] = 2
    noise = 0.3 * torch.rand(1, 1, 6, 6, 2, generator=torch.Generator().manual_seed(0))
    return targets[:, None] + noise, targets, LinfThreat.from_fraction(0.2, IntensityBox.per_channel([-1.0], [4.0]))


def test_the_lesion_vanishes_and_the_rest_stays() -> None:
    inputs, targets, threat = problem()
    attack = APGD(RemoveClass(), num_iterations=10)
    result = attack(model, inputs, targets, threat, ClassVanished(share=0.0), generator=torch.Generator())
    assert result.success.tolist() == [True]
    prediction = model(result.adversarial).argmax(1)
    assert not (prediction[targets == 2] == 2).any()


def test_the_lesion_grows() -> None:
    inputs, targets, threat = problem()
    attack = APGD(GrowClass(2), num_iterations=10)
    assert not bool(ClassGrown(2)(model(inputs), targets))
    result = attack(model, inputs, targets, threat, ClassGrown(2), generator=torch.Generator())
    assert result.success.tolist() == [True]
    assert (model(result.adversarial).argmax(1)[targets == 1] == 2).all()


def test_values() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]).T.reshape(1, 3, 2, 1, 1)
    targets = torch.tensor([2, 0]).view(1, 2, 1, 1)
    p = math.exp(2) / (1 + math.e + math.exp(2))
    assert float(RemoveClass()(logits, targets)) == pytest.approx(math.log(1 - p), rel=1e-5)
    assert float(GrowClass()(logits, targets)) == pytest.approx(math.log(p), rel=1e-5)
    # Without a voxel of the class there is nothing to remove.
    assert float(RemoveClass(1)(logits, targets)) == 0.0
    assert ClassVanished(1)(logits, targets).tolist() == [False]


@pytest.mark.parametrize("target_class", [0, 3, -2])
def test_a_class_that_the_model_lacks_is_named(target_class: int) -> None:
    inputs, targets, _ = problem()
    with pytest.raises(ValueError, match="foreground classes are 1 to 2"):
        RemoveClass(target_class)(model(inputs), targets)
