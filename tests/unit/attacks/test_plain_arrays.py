"""A plain module, an image and labels as arrays."""

import numpy as np
import pytest
import torch
from torch import nn

from rogseg.attacks import FGSM, DiceBelow, L2Threat, LinfThreat, attack_arrays
from rogseg.cases import IntensityBox


def network() -> nn.Module:
    """Foreground where the image is above 0.5; in training mode dropout would draw."""
    convolution = nn.Conv3d(1, 2, 1)
    weight = torch.tensor([0.0, 10.0]).reshape(2, 1, 1, 1, 1)
    convolution.load_state_dict({"weight": weight, "bias": torch.tensor([5.0, 0.0])})
    return nn.Sequential(convolution, nn.Dropout(0.5))


IMAGE = np.where(np.arange(64).reshape(4, 4, 4) < 32, 0.52, 0.3)[::-1]
LABEL = (IMAGE > 0.5).astype(np.uint8)


@pytest.mark.parametrize("image", [IMAGE, IMAGE[None], IMAGE.astype(np.float32), torch.from_numpy(IMAGE.copy())])
def test_every_voxel_within_reach_falls(image: np.ndarray) -> None:
    model = network()
    threat = LinfThreat.from_fraction(8 / 255, (0.0, 1.0))
    result = attack_arrays(FGSM(), model, image, LABEL, threat)
    # 0.52 - 8/255 is under 0.5: all foreground is lost, and nothing of the background comes into reach.
    assert result.mean_dice.item() == 0
    assert result.success.item()
    assert result.distance.item() == pytest.approx(8 / 255, abs=1e-6)
    assert model.training
    shown = result._repr_html_()
    assert "<td>yes</td><td>1.000</td><td>0.000</td><td>0.0314</td><td>0.000</td>" in shown
    heading, case = repr(result).splitlines()
    assert heading.startswith("AttackResult of 2 forward and 1 backward passes")
    assert case == "case 0, fallen yes, clean Dice 1.000, mean Dice 0.000, distance [box width] 0.0314"


def test_a_network_in_double_precision_is_given_doubles_and_one_in_half_is_refused() -> None:
    threat = LinfThreat.from_fraction(8 / 255, (0.0, 1.0))
    result = attack_arrays(FGSM(), network().double(), IMAGE.astype(np.float32), LABEL, threat)
    assert result.adversarial.dtype == torch.float64
    assert result.mean_dice.item() == 0
    with pytest.raises(ValueError, match=r"computes in torch\.bfloat16.*model\.float"):
        attack_arrays(FGSM(), network().bfloat16(), IMAGE, LABEL, threat)


def test_a_smaller_ball_leaves_all_standing_and_labels_may_be_floats() -> None:
    threat = LinfThreat.from_fraction(4 / 255, (0.0, 1.0))
    result = attack_arrays(FGSM(), network(), IMAGE, LABEL.astype(np.float64), threat)
    assert result.mean_dice.item() == 1
    assert not result.success.item()


def test_two_numbers_are_the_box_of_every_channel() -> None:
    for kind in (LinfThreat, L2Threat):
        short, long = kind.from_fraction(0.1, (-1.0, 3.0)), kind.from_fraction(0.1, IntensityBox.per_channel([-1], [3]))
        assert torch.equal(short.epsilon, long.epsilon)
        assert torch.equal(short.box.lower, long.box.lower)
        assert torch.equal(short.box.upper, long.box.upper)


def test_what_cannot_be_attacked_is_told() -> None:
    threat = LinfThreat.from_fraction(8 / 255, (0.0, 1.0))
    with pytest.raises(ValueError, match="no foreground"):
        attack_arrays(FGSM(), network(), IMAGE, LABEL * 0, threat)
    assert not attack_arrays(FGSM(), network(), IMAGE, LABEL * 0, threat, DiceBelow(0.5)).success.item()
    with pytest.raises(ValueError, match="the network finds nothing of the label"):
        attack_arrays(FGSM(), network(), IMAGE * 0.1, LABEL, threat)
    with pytest.raises(ValueError, match="attack is a Sequential, not an attack"):
        attack_arrays(network(), FGSM(), IMAGE, LABEL, threat)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected \(C, D, H, W\)"):
        attack_arrays(FGSM(), network(), IMAGE[0], LABEL, threat)
    model = network()
    with pytest.raises(ValueError, match=r"the model gives probabilities .*\.log\(\)"):
        attack_arrays(FGSM(), lambda volumes: model(volumes).softmax(1), IMAGE, LABEL, threat)
    with pytest.raises(ValueError, match="leave the last step of the model away"):
        attack_arrays(FGSM(), lambda volumes: model(volumes).argmax(1), IMAGE, LABEL, threat)
    with pytest.raises(ValueError, match="hold class 6 but the model has 2 classes"):
        attack_arrays(FGSM(), model, IMAGE, LABEL + 5, threat)
    with pytest.raises(ValueError, match="hold NaN"):
        attack_arrays(FGSM(), model, np.full_like(IMAGE, np.nan), LABEL, threat)
    with pytest.raises(ValueError, match="outside the box"):
        attack_arrays(FGSM(), network(), IMAGE * 10, LABEL, threat)
