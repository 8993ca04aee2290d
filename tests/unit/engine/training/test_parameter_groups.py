from typing import Any

import pytest
import torch
from torch import nn

from rogseg.estimation.timed_passes import optim_wrapper_of
from rogseg.registry import BACKBONES

OPTIMISER = {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1}}


def network() -> nn.Module:
    return nn.ModuleDict({"backbone": nn.Linear(2, 2), "head": nn.Linear(2, 2)})


def test_weights_have_the_rate_that_their_name_asks_for() -> None:
    custom = {"custom_keys": {"backbone": {"lr_mult": 0.5}}}
    optimiser = optim_wrapper_of(network(), {**OPTIMISER, "paramwise_cfg": custom}).optimizer
    assert [group["lr"] for group in optimiser.param_groups] == [0.05, 0.05, 0.1, 0.1]
    assert isinstance(optimiser, torch.optim.SGD)


@pytest.mark.parametrize(
    ("paramwise", "message"),
    [
        ({"norm_decay_mul": 0.0}, r"paramwise_cfg\.norm_decay_mul .*'norm_decay_mult'"),
        ({"dwconv_decay_mult": 0.0}, r"paramwise_cfg\.dwconv_decay_mult"),
        ({"norm_decay_mult": 0.0}, r"paramwise_cfg\.norm_decay_mult .*optimizer\.weight_decay"),
        ({"custom_keys": {"encoder": {"lr_mult": 0.0}}}, "no weight has 'encoder' in its name"),
        ({"custom_keys": {"head": {"lr_mul": 0.0}}}, r"custom_keys\.head\.lr_mul .*'lr_mult'"),
    ],
)
def test_names_of_nothing_are_refused(paramwise: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optim_wrapper_of(network(), {**OPTIMISER, "paramwise_cfg": paramwise})


def test_the_norms_of_rog_are_norms_to_an_optimiser() -> None:
    rog = BACKBONES.build({"type": "ROG", "in_channels": 1, "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]]})
    settings = {**OPTIMISER, "optimizer": {"type": "SGD", "lr": 0.1, "weight_decay": 0.5}}
    optimiser = optim_wrapper_of(rog, {**settings, "paramwise_cfg": {"norm_decay_mult": 0.0}}).optimizer
    norms = {id(weight) for name, weight in rog.named_parameters() if ".norm." in name}
    spared = {id(group["params"][0]) for group in optimiser.param_groups if group["weight_decay"] == 0}
    assert spared == norms != set()
