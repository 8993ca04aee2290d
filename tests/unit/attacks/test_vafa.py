import itertools

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from torch import Tensor

from rogseg.attacks import VAFA, DiceBelow, LinfThreat, QuantisationThreat
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.frequency.block_dct import block_dct, block_lengths, inverse_block_dct
from rogseg.cases import IntensityBox
from rogseg.metrics import mean_foreground_dice
from tests.unit.attacks.sanity import networks

BOX = IntensityBox.per_channel([-2.0, 0.0], [2.0, 1.0])  # widths of 4 and 1


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_each_block_has_the_transform_of_scipy() -> None:
    volume = noise(1, 2, 40, 5, 33).double()
    assert [block_lengths(length) for length in (40, 5, 33, 32, 1)] == [(20, 20), (5,), (17, 16), (32,), (1,)]
    coefficients = block_dct(volume)
    for channel, x, z in itertools.product((0, 1), (slice(0, 20), slice(20, 40)), (slice(0, 17), slice(17, 33))):
        block = volume[0, channel, x, :, z].numpy()
        assert np.allclose(coefficients[0, channel, x, :, z].numpy(), dctn(block, norm="ortho"))
    assert torch.allclose(inverse_block_dct(coefficients), volume)


def test_the_threat_bounds_the_root_mean_square_of_each_block_and_channel() -> None:
    threat = QuantisationThreat.from_fraction(0.1, BOX)
    inputs = torch.cat([torch.zeros(1, 1, 40, 4, 4), torch.full((1, 1, 40, 4, 4), 0.5)], dim=1)
    moved = inputs.clone()
    moved[:, 0, :20] += 0.2  # of a width of 4: a root mean square of a twentieth, which is half of epsilon
    assert float(threat.distance(inputs, moved)) == pytest.approx(0.1)
    assert bool(threat.contains(inputs, moved))
    assert torch.allclose(threat.project(inputs, moved), moved, atol=1e-6)
    moved[:, 1, 20:] += 0.1  # of a width of 1: twice as far as is allowed
    assert float(threat.excess(inputs, moved)) == pytest.approx(0.1)
    projected = threat.project(inputs, moved)
    assert torch.allclose(projected[:, 0], moved[:, 0], atol=1e-6)
    assert torch.allclose(projected[:, 1, 20:] - 0.5, torch.tensor(0.05), atol=1e-6)
    for volume in (
        threat.random_start(inputs, torch.Generator().manual_seed(0)),
        threat.project(inputs, inputs + threat.steepest_ascent(noise(*inputs.shape))),
        threat.project(inputs, 5 * noise(*inputs.shape)),
    ):
        threat.assert_admissible(inputs, volume)
        assert float(threat.distance(inputs, volume)) == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize("epsilon", [0.0, 20 / 255])
def test_what_it_makes_is_rounded_to_steps_within_their_range(epsilon: float) -> None:
    """Far from the bounds of the box, no coefficient moves by more than half of the largest step."""
    inputs = 0.1 * noise(1, 1, 12, 9, 8)
    targets = (inputs[:, 0] > 0).long()
    threat = QuantisationThreat.from_fraction(epsilon, IntensityBox.per_channel([-2.0], [2.0]))
    result = VAFA(num_iterations=4)(
        lambda volume: torch.cat([-volume, volume], dim=1), inputs, targets, threat, DiceBelow(0.3),
        generator=torch.Generator(),
    )  # fmt: skip
    change = (block_dct(result.adversarial) - block_dct(inputs)).abs().max()
    assert float(change) <= 4 * epsilon / 2 + 1e-5
    assert torch.equal(result.adversarial, inputs) == (epsilon == 0.0)
    assert bool(result.mean_dice < 1) == (epsilon > 0)


def test_dice_falls_further_than_by_rounding_with_equal_steps() -> None:
    case = networks.cases(1)[0]
    assert case.targets is not None
    network, step = networks.sound("two scales"), 60 / 255 * case.box.width
    equal = inverse_block_dct((block_dct(case.inputs) / step).round() * step)
    threat = QuantisationThreat.from_fraction(60 / 255, case.box)
    result = VAFA()(network, case.inputs, case.targets, threat, DiceBelow(0.3), generator=torch.Generator())
    by_rounding = float(mean_foreground_dice(case_dice(network(case.box.clip(equal)), case.targets)))
    assert 0.8 < by_rounding < 0.95
    assert float(result.mean_dice) < 0.4


def test_no_other_threat_model_is_taken_for_its_own() -> None:
    inputs, targets = torch.zeros(1, 1, 2, 2, 2), torch.ones(1, 2, 2, 2, dtype=torch.int64)
    threat = LinfThreat.from_fraction(0.1, IntensityBox.per_channel([-1.0], [1.0]))
    with pytest.raises(ValueError, match="QuantisationThreat"):
        VAFA()(lambda x: torch.cat([-x, x], 1), inputs, targets, threat, DiceBelow(0.3), generator=torch.Generator())
    with pytest.raises(ValueError, match="lowest"):
        VAFA(lowest=0.0)
