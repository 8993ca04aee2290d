"""What a network gives made logits: entries, probabilities, sigmoids, regions; and what is refused."""

from typing import Any

import pytest
import torch

from rogseg.systems import TorchModule
from tests.unit.systems.any_network.networks import INPUTS, WINDOWS, TinyNetwork, seeded

CLASSES = ["organ", "lesion"]


def window(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(seed))


def system(form: str = "logits", out_channels: int = 3, **outputs: Any) -> TorchModule:
    network = seeded(form=form, out_channels=out_channels)
    return TorchModule(network, INPUTS, WINDOWS, {"classes": CLASSES, **outputs})


@pytest.mark.parametrize(("form", "key"), [("tuple", 1), ("dict", "out")])
def test_the_named_entry_is_taken(form: str, key: int | str) -> None:
    assert torch.equal(system(form, key=key).logits(window()), system().logits(window()))


@pytest.mark.parametrize(("form", "key"), [("tuple", None), ("dict", "aux"), ("dict", 0), ("logits", 0)])
def test_an_entry_that_is_no_tensor_is_refused_by_name(form: str, key: Any) -> None:
    with pytest.raises(ValueError, match=rf"outputs\.key is {key!r}, and the network gives a (tuple|dict|Tensor)"):
        system(form, key=key).logits(window())


def test_softmax_is_refused_or_made_logits_whose_softmax_it_is() -> None:
    with pytest.raises(ValueError, match=r"gives probabilities \(softmax\).*outputs\.probabilities=True"):
        system("softmax").logits(window())
    logits = system("softmax", probabilities=True).logits(window())
    assert torch.allclose(logits.softmax(1), system().logits(window()).softmax(1), atol=1e-6)


def test_a_sigmoid_is_refused_or_made_its_logit() -> None:
    one = {"classes": ["organ"], "activation": "sigmoid"}
    with pytest.raises(ValueError, match=r"gives probabilities \(sigmoid\)"):
        system("sigmoid", 1, **one).logits(window())
    logits = system("sigmoid", 1, probabilities=True, **one).logits(window())
    assert torch.allclose(logits, system("logits", 1, **one).logits(window()), atol=1e-4)


def test_logits_are_not_taken_for_probabilities_because_somebody_says_so() -> None:
    with pytest.raises(ValueError, match=r"outputs\.probabilities is True, but the network gives values from"):
        system("logits", probabilities=True).logits(window())


class ActiveInOneMode(TinyNetwork):
    """Its activation works in evaluation alone, or in training alone."""

    def __init__(self, activation: str, *, in_training: bool) -> None:
        super().__init__(out_channels=3 if activation == "softmax" else 2)
        self.activation, self.in_training = activation, in_training

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        logits = self.logits(inputs)
        if self.training is not self.in_training:
            return logits
        return logits.softmax(1) if self.activation == "softmax" else logits.sigmoid()

    def logits(self, inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = super().forward(inputs)
        return logits


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_logits_that_a_network_gives_in_training_alone_are_trained_as_they_are(activation: str) -> None:
    network = ActiveInOneMode(activation, in_training=False)
    outputs = {"classes": CLASSES, "activation": activation, "probabilities": True}
    made = TorchModule(network, INPUTS, WINDOWS, outputs)
    evaluated = made.logits(window())
    normed = evaluated.log_softmax(1) if activation == "softmax" else evaluated
    expected = network.logits(window())
    assert torch.allclose(normed, expected.log_softmax(1) if activation == "softmax" else expected, atol=1e-4)
    module = made.trainable[0].module.train()
    for seed in (0, 1):
        assert torch.equal(module(window(seed)), network.logits(window(seed)))
    assert torch.allclose(made.trainable[0].module.eval()(window()), evaluated, atol=1e-4)


def test_probabilities_that_a_network_gives_in_training_alone_are_refused() -> None:
    made = TorchModule(ActiveInOneMode("softmax", in_training=True), INPUTS, WINDOWS, {"classes": CLASSES})
    made.logits(window())
    with pytest.raises(ValueError, match=r"in training mode the network gives probabilities \(softmax\)"):
        made.trainable[0].module.train()(window())


class Shifted(torch.nn.Module):
    """One logit: an offset over air, which lies in [0, 1], beside padding another one, and elsewhere far from it."""

    def __init__(self, gain: float, border: float = 0.1) -> None:
        super().__init__()
        self.gain, self.border = gain, border

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        border = torch.zeros_like(inputs)
        border[:, :, 0] = self.border
        return self.gain * inputs + 0.3 + border


def test_a_window_of_air_does_not_make_logits_probabilities_but_the_next_one_tells() -> None:
    one = {"classes": ["organ"], "activation": "sigmoid"}
    air = torch.zeros(1, 1, 8, 8, 8)
    made = TorchModule(Shifted(gain=5.0), INPUTS, WINDOWS, one)
    assert made.logits(air).shape == air.shape
    made.logits(window())
    found = TorchModule(Shifted(gain=0.01), INPUTS, WINDOWS, one)
    found.logits(air)
    with pytest.raises(ValueError, match=r"gives probabilities \(sigmoid\)"):
        found.logits(window())
    # What is said to be probabilities stays that, and values that cannot be any are refused over air as well.
    said = TorchModule(Shifted(gain=5.0), INPUTS, WINDOWS, {**one, "probabilities": True})
    assert torch.allclose(said.logits(air).sigmoid(), Shifted(gain=5.0)(air))
    with pytest.raises(ValueError, match="no probabilities of sigmoid"):
        said.logits(window())


def test_a_constant_channel_tells_nothing_either() -> None:
    made = TorchModule(Shifted(0.0, border=0.0), INPUTS, WINDOWS, {"classes": ["organ"], "activation": "sigmoid"})
    assert torch.equal(made.logits(window()), torch.full_like(window(), 0.3))


def test_one_sigmoid_channel_decides_at_a_half_and_its_scores_have_that_sigmoid() -> None:
    made = system("logits", 1, classes=["organ"], activation="sigmoid")
    logits, scores = made.logits(window()), made.model(window())
    assert scores.shape[1] == made.num_classes == 2
    assert torch.equal(scores.argmax(1), (logits[:, 0] > 0).long())
    assert torch.allclose(scores.softmax(1)[:, 1], logits[:, 0].sigmoid())


def test_the_smallest_positive_region_wins_whatever_the_order_of_the_channels() -> None:
    regions = [
        {"name": "core", "values": [1, 4]},
        {"name": "whole", "values": [1, 2, 4]},
        {"name": "enhancing", "values": [4], "kind": "lesion"},
    ]
    made = system("logits", 3, classes=regions, activation="sigmoid")
    assert made.class_names == ("whole", "core", "enhancing")
    assert made.label_values == (0, 2, 1, 4)
    assert made.class_indices == ((1, 2, 3), (2, 3), (3,))
    raw = seeded(out_channels=3)(window())
    core, whole, enhancing = (raw[:, place] > 0 for place in range(3))
    expected = torch.where(enhancing, 3, torch.where(core, 2, torch.where(whole, 1, 0)))
    assert torch.equal(made.model(window()).argmax(1), expected)
    assert set(expected.flatten().tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"classes": []}, "name each foreground class once"),
        ({"classes": ["a", "a"]}, "name each foreground class once"),
        ({"classes": [{"name": "a", "values": [0]}]}, "from 1 to 255"),
        ({"classes": [{"name": "a", "valves": [1]}]}, r"classes\[0\].*unknown keys \['valves'\]"),
        ({"classes": [{"name": "a", "values": [1, 2]}, {"name": "b", "values": [2]}]}, "share label values"),
        (
            {"classes": [{"name": "a", "values": [1, 2, 3]}, {"name": "b", "values": [3]}], "activation": "sigmoid"},
            "say which of the label values",
        ),
        (
            {
                "classes": [
                    {"name": "left", "values": [1, 3]},
                    {"name": "right", "values": [2, 4]},
                    {"name": "tumour", "values": [3, 4], "writes": 3},
                ],
                "activation": "sigmoid",
            },
            r"system\.outputs\.classes: voxels of the label value 4 lie in right, tumour",
        ),
        ({"classes": ["a"], "activation": "relu"}, r"outputs\.activation must be 'softmax' or 'sigmoid'"),
    ],
)
def test_classes_that_make_no_sense_are_refused(outputs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TorchModule(seeded(), INPUTS, WINDOWS, outputs)


def test_other_channels_than_the_classes_are_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"gives shape \(1, 3, 8, 8, 8\).*the 1 foreground classes.*\(B, 2, D, H, W\)"):
        system(classes=["organ"]).logits(window())
    with pytest.raises(ValueError, match=r"does not take windows of shape \(1, 2, 8, 8, 8\).*inputs\.channels"):
        system().logits(torch.cat([window(), window()], 1))


def test_classes_that_come_last_are_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"gives shape \(1, 8, 8, 8, 3\).*\(B, 3, D, H, W\).*put a module around it"):
        system(form="last").logits(window())
