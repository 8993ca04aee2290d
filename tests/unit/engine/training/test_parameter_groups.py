from typing import Any

import pytest
import torch
from torch import nn

from rogseg.estimation.timed_passes import optim_wrapper_of

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
        ({"custom_keys": {"encoder": {"lr_mult": 0.0}}}, "no weight has 'encoder' in its name"),
        ({"custom_keys": {"head": {"lr_mul": 0.0}}}, r"custom_keys\.head\.lr_mul .*'lr_mult'"),
    ],
)
def test_names_of_nothing_are_refused(paramwise: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optim_wrapper_of(network(), {**OPTIMISER, "paramwise_cfg": paramwise})
