from typing import Any

import pytest
import torch

from rogseg.models import Segmentor

STRIDES = [(1, 2, 2), (1, 2, 2), (2, 1, 1)]
LOSSES: list[dict[str, Any]] = [{"type": "DiceLoss"}, {"type": "CrossEntropyLoss", "weight": 2.0}]


def build() -> Segmentor:
    torch.manual_seed(0)
    backbone = {"type": "ROG", "in_channels": 1, "strides": STRIDES, "channels": 8}
    return Segmentor(backbone, {"type": "ROGHead", "num_classes": 3, "scale": STRIDES[0], "channels": 8}, LOSSES)


def test_modes_agree() -> None:
    model, inputs = build(), torch.randn(2, 1, 8, 32, 32)
    targets = torch.randint(0, 3, (2, 8, 32, 32))
    with torch.no_grad():
        logits = model(inputs)
        losses = model(inputs, targets, mode="loss")
        assert isinstance(logits, torch.Tensor)
        assert logits.shape == (2, 3, 8, 32, 32)
        assert torch.equal(model(inputs, mode="predict"), logits.argmax(1))
    assert list(losses) == ["loss_dice", "loss_ce"]
    torch.testing.assert_close(losses["loss_ce"], 2 * torch.nn.functional.cross_entropy(logits, targets))


def test_bad_calls_are_told() -> None:
    model, inputs = build(), torch.randn(1, 1, 8, 32, 32)
    with pytest.raises(ValueError, match="needs targets"):
        model(inputs, mode="loss")
    with pytest.raises(ValueError, match="'logits'"):
        model(inputs, mode="logits")
