"""From a config to the threat model of a case: what moves."""

import pytest
import torch

from rogseg.attacks import FGSM, DiceBelow
from rogseg.cases import Case, IntensityBox
from rogseg.engine.attacking.threats import ThreatFactory


def case(movable: torch.Tensor | None = None) -> Case:
    """Two channels in different boxes; air in the first half of the volume, in one voxel of it in one channel alone."""
    inputs = torch.stack([torch.full((4, 2, 2), -1.0), torch.full((4, 2, 2), 0.0)])[None]
    inputs[:, :, 2:] += 0.5
    inputs[:, 1, 0, 0, 0] = 0.3
    box = IntensityBox.per_channel([-1.0, 0.0], [1.0, 10.0])
    return Case("a", inputs, torch.ones(1, 4, 2, 2, dtype=torch.int64), box, movable)


def test_air_stays_and_what_any_channel_shows_moves() -> None:
    threat = ThreatFactory({"type": "LinfThreat", "moves": "tissue"})(8 / 255, case())
    assert threat.support is not None
    expected = torch.zeros(1, 1, 4, 2, 2, dtype=torch.bool)
    expected[:, :, 2:] = True
    expected[0, 0, 0, 0, 0] = True
    assert torch.equal(threat.support, expected)

    def logits(volume: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(volume[:, :1]), volume.sum(1, keepdim=True)], 1)

    given = case()
    assert given.targets is not None
    generator = torch.Generator().manual_seed(0)
    result = FGSM()(logits, given.inputs, given.targets, threat, DiceBelow(0.5), generator=generator)
    moved = (result.adversarial != given.inputs).any(1, keepdim=True)
    assert torch.equal(moved, expected)


def test_what_a_system_froze_stays_frozen_and_all_is_the_default() -> None:
    movable = torch.zeros(1, 1, 4, 2, 2, dtype=torch.bool)
    movable[:, :, :3] = True
    threat = ThreatFactory({"type": "LinfThreat", "moves": "tissue"})(8 / 255, case(movable))
    assert threat.support is not None
    assert int(threat.support.sum()) == 4 + 1
    assert ThreatFactory({"type": "LinfThreat"})(8 / 255, case()).support is None


def test_another_word_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'tissue'"):
        ThreatFactory({"type": "LinfThreat", "moves": "tisue"})


def test_a_reference_box_goes_with_its_unit_alone() -> None:
    with pytest.raises(ValueError, match="say with --reference whose box that is"):
        ThreatFactory({"unit": "reference"})
    with pytest.raises(ValueError, match=r"fraction of that box, and threat\.unit that it is 'raw': leave one"):
        ThreatFactory({"unit": "raw"}, lambda _: (1.0,))
