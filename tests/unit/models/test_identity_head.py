import pytest
import torch
from torch import nn

from rogseg.models.segmentor import Segmentor
from rogseg.registry import BACKBONES


@BACKBONES.register_module()
class WholeNetwork(nn.Conv3d):
    """A network that needs no head."""


def segmentor(outputs: int, num_classes: int) -> Segmentor:
    return Segmentor(
        {"type": "WholeNetwork", "in_channels": 1, "out_channels": outputs, "kernel_size": 1},
        {"type": "IdentityHead", "num_classes": num_classes},
        [{"type": "CrossEntropyLoss"}],
    )


def test_logits_and_gradients_are_those_of_the_network() -> None:
    network, inputs = segmentor(3, 3), torch.randn(2, 1, 3, 4, 5)
    assert torch.equal(network(inputs), network.backbone(inputs))
    network(inputs, torch.zeros(2, 3, 4, 5, dtype=torch.long), mode="loss")["loss_ce"].backward()
    assert network.backbone.weight.grad.abs().sum() > 0


def test_another_number_of_classes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"backbone gives \(2, 2, 3, 4, 5\), but IdentityHead needs the logits of 3"):
        segmentor(2, 3)(torch.randn(2, 1, 3, 4, 5))
