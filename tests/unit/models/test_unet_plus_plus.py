"""UNet++: its size is published, and each head is trained."""

from pathlib import Path

import pytest
import torch

from rogseg.engine.config.load import load_config
from rogseg.models.backbones import UNetPlusPlus
from rogseg.models.heads import DeepSupervisionHead
from rogseg.models.segmentor import Segmentor
from rogseg.registry import MODELS

ROOT = Path(__file__).resolve().parents[3]


def num_parameters(*modules: torch.nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.parametrize(("num_outputs", "expected"), [(4, 26_198_504), (1, 26_198_306)])
def test_the_published_number_of_parameters(num_outputs: int, expected: int) -> None:
    assert num_parameters(UNetPlusPlus(1), DeepSupervisionHead(2, 32, num_outputs)) == expected


def test_every_node_and_head_gets_a_gradient_and_the_answer_is_the_mean_of_the_heads() -> None:
    model = Segmentor(
        {"type": "UNetPlusPlus", "in_channels": 2, "filters": (2, 3, 4), "strides": [(1, 2, 2), (2, 2, 2)]},
        {"type": "DeepSupervisionHead", "num_classes": 3, "channels": 2, "num_outputs": 2},
        [{"type": "CrossEntropyLoss"}],
    )
    inputs = torch.randn(1, 2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    targets = torch.zeros(1, 4, 8, 8, dtype=torch.long)
    features = model.backbone(inputs)
    heads = model.head.supervised(features)
    torch.testing.assert_close(model(inputs), (heads[0] + heads[1]) / 2)
    loss = model(inputs, targets, mode="loss")["loss_ce"]
    alone = [torch.nn.functional.cross_entropy(logits, targets) for logits in heads]
    torch.testing.assert_close(loss, (alone[0] + alone[1]) / 2)
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_grid_that_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot be pooled by \(4, 4, 4\)"):
        UNetPlusPlus(1, (2, 2, 2))(torch.zeros(1, 1, 6, 8, 8))


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_norms_are_an_option(norm: str) -> None:
    network = UNetPlusPlus(1, (2, 4), norm=norm)  # type: ignore[arg-type]
    assert network(torch.randn(1, 1, 4, 4, 4))[-1].shape == (1, 2, 4, 4, 4)
    with pytest.raises(ValueError, match="norm is 'layer'"):
        UNetPlusPlus(1, (2, 4), norm="layer")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "configs/unetpp").glob("*_*_*.py")))
def test_the_configs_of_the_ten_tasks_fit_their_plans(name: str) -> None:
    config = load_config(name)
    with torch.device("meta"):
        network = MODELS.build(config.model)
        window = torch.zeros(1, config.model.backbone.in_channels, *config.task.patch_size)
        logits = network(window)
    assert logits.shape == (1, len(config.task.label_values), *config.task.patch_size)
