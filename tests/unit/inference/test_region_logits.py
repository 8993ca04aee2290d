"""The Square attack through regions decides as it does through whole volumes."""

import torch
from torch import Tensor

from rogseg.attacks import DiceBelow, LinfThreat
from rogseg.attacks.square import Square
from rogseg.cases import IntensityBox
from rogseg.inference import RegionVolumeLogits, VolumeLogits
from tests.unit.inference.test_sliding_window import WINDOW, make_network


def test_square_takes_the_same_decisions_at_fewer_windows() -> None:
    network = make_network().float()
    num_windows = 0

    def counted(windows: Tensor) -> Tensor:
        nonlocal num_windows
        num_windows += len(windows)
        logits: Tensor = network(windows)
        return logits

    volume_logits = VolumeLogits(counted, WINDOW)
    inputs = torch.rand(2, 2, 20, 13, 17, generator=torch.Generator().manual_seed(1)) * 2 - 1
    targets = volume_logits(inputs).argmax(1)
    threat = LinfThreat.from_fraction(0.05, IntensityBox.per_channel((-1.0, -1.0), (1.0, 1.0)))
    results, costs = [], []
    for model in (volume_logits, RegionVolumeLogits(volume_logits)):
        num_windows = 0
        generator = torch.Generator().manual_seed(3)
        result = Square(num_queries=40)(model, inputs, targets, threat, DiceBelow(0.5), generator=generator)
        results.append(result)
        costs.append(num_windows)
    plain, by_region = results
    torch.testing.assert_close(by_region.adversarial, plain.adversarial, rtol=0, atol=0)
    torch.testing.assert_close(by_region.dice, plain.dice, rtol=0, atol=0)
    assert plain.num_forward == by_region.num_forward
    assert costs[1] < 0.7 * costs[0]
