"""C2FNAS: its rebuilt size, and that every part of it takes part."""

from pathlib import Path

import pytest
import torch

from rogseg.engine.config.load import load_config
from rogseg.estimation.cost_estimate import count_macs
from rogseg.models.backbones import C2FNAS
from rogseg.models.heads import DeepSupervisionHead
from rogseg.models.segmentor import Segmentor
from rogseg.registry import MODELS

ROOT = Path(__file__).resolve().parents[3]


def test_size_and_cost_are_near_what_the_comparison_says() -> None:
    with torch.device("meta"):
        network = torch.nn.Sequential(C2FNAS(1), DeepSupervisionHead(2, 32, 1))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == 15_396_962
    assert count_macs(network, (1, 1, 96, 96, 96)) / 1e9 == pytest.approx(150.78, rel=0.05)


def test_every_parameter_gets_a_gradient_on_a_grid_that_nothing_divides() -> None:
    model = Segmentor(
        {"type": "C2FNAS", "in_channels": 2, "stem_channels": 2},
        {"type": "DeepSupervisionHead", "num_classes": 3, "channels": 2, "num_outputs": 1},
        [{"type": "CrossEntropyLoss"}],
    )
    inputs = torch.randn(1, 2, 19, 33, 18, generator=torch.Generator().manual_seed(0))
    assert model(inputs).shape == (1, 3, 19, 33, 18)
    inputs.requires_grad_()
    model(inputs, torch.randint(3, (1, 19, 33, 18)), mode="loss")["loss_ce"].backward()
    assert all(
        parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in [*model.parameters(), inputs]
    )


def test_operations_and_levels_are_checked() -> None:
    with pytest.raises(ValueError, match="operation is '4D', known are 2D, 3D, P3D"):
        C2FNAS(1, 2, [["4D"], ["3D"]], [["3D"]])
    with pytest.raises(ValueError, match="the encoder has 1 levels and the decoder 1"):
        C2FNAS(1, 2, [["3D"]], [["3D"]])


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "configs/c2fnas").glob("*_*_*.py")))
def test_the_configs_of_the_ten_tasks_fit_their_plans(name: str) -> None:
    config = load_config(name)
    with torch.device("meta"):
        network = MODELS.build(config.model)
        logits = network(torch.zeros(1, config.model.backbone.in_channels, *config.task.patch_size))
    assert logits.shape == (1, len(config.task.label_values), *config.task.patch_size)
