from typing import Any

import pytest
import torch

from rogseg.models import Segmentor
from rogseg.registry import LOSSES as LOSS_REGISTRY

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


def test_a_loss_of_ones_own_must_give_a_named_scalar(monkeypatch: pytest.MonkeyPatch) -> None:
    class PerVoxel:
        def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.cross_entropy(logits, targets, reduction="none")

    monkeypatch.setitem(LOSS_REGISTRY.module_dict, "PerVoxel", PerVoxel)
    backbone = {"type": "ROG", "in_channels": 1, "strides": STRIDES, "channels": 8}
    head = {"type": "ROGHead", "num_classes": 3, "scale": STRIDES[0], "channels": 8}
    with pytest.raises(ValueError, match="PerVoxel has no name"):
        Segmentor(backbone, head, [{"type": "PerVoxel"}])
    monkeypatch.setattr(PerVoxel, "name", "mine", raising=False)
    model = Segmentor(backbone, head, [{"type": "PerVoxel"}])
    with pytest.raises(ValueError, match=r"PerVoxel gave a tensor \(1, 8, 32, 32\), it must give a scalar"):
        model(torch.randn(1, 1, 8, 32, 32), torch.zeros(1, 8, 32, 32, dtype=torch.long), mode="loss")


@pytest.mark.parametrize(
    ("backbone", "head"),
    [
        (
            {"type": "ROG", "in_channels": 1, "strides": STRIDES, "channels": 4},
            {"type": "ROGHead", "num_classes": 3, "scale": STRIDES[0], "channels": 8},
        ),
        (
            {"type": "UNetPlusPlus", "in_channels": 1, "filters": (4, 8)},
            {"type": "DeepSupervisionHead", "num_classes": 3, "channels": 8, "num_outputs": 1},
        ),
    ],
)
def test_a_head_for_other_channels_names_its_key(backbone: dict[str, Any], head: dict[str, Any]) -> None:
    message = r"backbone gives features \(1, 4, .*\), but model.head.channels is 8: set it to"
    with pytest.raises(ValueError, match=message):
        Segmentor(backbone, head, LOSSES)(torch.randn(1, 1, 8, 32, 32))
