"""What a network gives in training: its heads from fine to coarse, each raw logits; and what is refused."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.engine.hardening.trainee import Trainee
from rogseg.systems import TorchModule
from tests.unit.systems.any_network.networks import INPUTS, WINDOWS, TinyNetwork, seeded

OUTPUTS = {"classes": ["organ", "lesion"]}


def window(seed: int = 0) -> Tensor:
    return torch.randn(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(seed))


def halved(logits: Tensor) -> Tensor:
    return functional.avg_pool3d(logits, 2)


class Supervised(nn.Module):
    """One tensor in evaluation, and something else in training."""

    def __init__(self, form: str, out_channels: int = 3) -> None:
        super().__init__()
        self.inner, self.form = seeded(out_channels=out_channels), form

    def forward(self, inputs: Tensor) -> Any:
        logits = self.inner(inputs)
        if not self.training:
            return logits
        return {
            "list": [logits, halved(logits)],
            "stack": torch.stack([logits, 2 * logits], 1),
            "upside down": (halved(logits), logits),
            "with a loss": (logits, logits.square().mean()),
            "channels": [logits, halved(logits)[:, :2]],
            "dict": {"out": logits, "aux": halved(logits)},
            "nothing": None,
            "empty": [],
            "sigmoids": (logits.sigmoid(), halved(logits).sigmoid()),
        }[self.form]


def module_of(form: str, **outputs: Any) -> nn.Module:
    made = TorchModule(Supervised(form), INPUTS, WINDOWS, {**OUTPUTS, **outputs})
    module = made.trainable[0].module
    assert torch.equal(module(window()), made.logits(window()))
    return module.train()


def test_a_list_and_a_stack_are_heads_from_fine_to_coarse() -> None:
    logits = seeded()(window())
    for form, second in (("list", halved(logits)), ("stack", 2 * logits)):
        heads = module_of(form)(window())
        assert len(heads) == 2
        assert torch.equal(heads[0], logits)
        assert torch.equal(heads[1], second)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("upside down", r"gives shape \(2, 3, 4, 4, 4\), \(2, 3, 8, 8, 8\) for windows.*from fine to coarse"),
        ("channels", r"gives shape \(2, 3, 8, 8, 8\), \(2, 2, 4, 4, 4\) for windows"),
        ("with a loss", r"in training mode the network gives a tuple with \{0: .*, 1: \(\)\}.*around it"),
        ("dict", r"in training mode the network gives a dict with \{'out'.*around it"),
        ("nothing", "in training mode the network gives a NoneType alone.*around it"),
        ("empty", "in training mode the network gives a list alone.*around it"),
    ],
)
def test_what_no_loss_can_be_taken_of_is_refused(form: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"Supervised: .*{said}"):
        module_of(form)(window())


def test_the_named_entry_of_several_is_trained_alone() -> None:
    made = TorchModule(seeded(form="tuple"), INPUTS, WINDOWS, {**OUTPUTS, "key": 1})
    assert torch.equal(made.trainable[0].module.train()(window()), seeded()(window()))

    class SeveralInEvaluation(TinyNetwork):
        def forward(self, inputs: Tensor) -> Any:
            logits = super().forward(inputs)
            return logits if self.training else {"out": logits}

    made = TorchModule(SeveralInEvaluation(), INPUTS, WINDOWS, {**OUTPUTS, "key": "out"})
    evaluated = made.logits(window())
    assert torch.equal(made.trainable[0].module.train()(window()), evaluated)
    # In evaluation a key of nothing is a mistake, and the message says how it ends.
    with pytest.raises(ValueError, match=r"outputs\.key is 0, and the network gives a Tensor alone; leave the key"):
        TorchModule(seeded(), INPUTS, WINDOWS, {**OUTPUTS, "key": 0}).logits(window())


def test_each_head_has_its_regions_in_their_order_and_its_logits() -> None:
    regions = [{"name": "core", "values": [2]}, {"name": "whole", "values": [1, 2]}]
    network = Supervised("sigmoids", out_channels=2)
    inputs = window()

    class Sigmoids(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, inputs: Tensor) -> Any:
            given = self.network(inputs)
            return given if self.training else given.sigmoid()

    outputs = {"classes": regions, "activation": "sigmoid", "probabilities": True}
    module = TorchModule(Sigmoids(), INPUTS, WINDOWS, outputs).trainable[0].module.train()
    fine, coarse = module(inputs)
    expected = network.inner(inputs).flip(1)  # the larger region comes first
    assert torch.allclose(fine, expected, atol=1e-3)
    assert torch.allclose(coarse, halved(expected), atol=1e-3)


MONAI: dict[str, dict[str, Any]] = {
    "SegResNetDS": {"init_filters": 4, "in_channels": 1, "blocks_down": (1, 1, 1), "dsdepth": 2},
    "DynUNet": {
        "in_channels": 1,
        "kernel_size": [3, 3, 3],
        "strides": [1, 2, 2],
        "upsample_kernel_size": [2, 2],
        "filters": [4, 4, 4],
        "deep_supervision": True,
        "deep_supr_num": 1,
    },
}


@pytest.mark.parametrize("name", MONAI)
def test_deep_supervision_of_monai_is_trained(name: str) -> None:
    nets = pytest.importorskip("monai.networks.nets")
    network = getattr(nets, name)(spatial_dims=3, out_channels=3, **MONAI[name])
    made = TorchModule(network, INPUTS, WINDOWS, OUTPUTS)
    trainee = Trainee(made.trainable[0].module, made.decide, made.class_indices, made.num_classes)
    trainee.requires_grad_(True).train()
    losses = trainee(window(), torch.randint(0, 3, (2, 8, 8, 8)), mode="loss")
    sum(losses.values()).backward()
    assert any(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
    assert trainee.eval()(window()).shape == (2, 3, 8, 8, 8)
