from pathlib import Path

import pytest
import torch
from torch import nn

from rogseg.engine.model.compilation import compile_in_place
from rogseg.engine.training.train import train
from rogseg.registry import MODELS
from tests.tiny_task import write_tiny_task
from tests.tiny_training import tiny_config

BACKEND = {"backend": "eager"}  # traces the network, and runs it without a compiler


def is_compiled(network: nn.Module) -> bool:
    return network._compiled_call_impl is not None


def test_a_compiled_network_has_the_same_outputs_gradients_and_names(tmp_path: Path) -> None:
    write_tiny_task(tmp_path / "task")
    network = MODELS.build(tiny_config(tmp_path, tmp_path / "task", tmp_path / "work").model).eval()
    names = list(network.state_dict())
    leaf = torch.randn(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    plain = network(leaf)
    (of_plain,) = torch.autograd.grad(plain.square().sum(), leaf)
    compile_in_place(network, None)
    assert not is_compiled(network)
    with pytest.raises(ValueError, match=r"compile\.backend is 'inductr': did you mean 'inductor'"):
        compile_in_place(network, {"backend": "inductr"})
    compile_in_place(network, BACKEND)
    assert is_compiled(network)
    compiled = network(leaf)
    (of_compiled,) = torch.autograd.grad(compiled.square().sum(), leaf)
    torch.testing.assert_close(compiled, plain)
    torch.testing.assert_close(of_compiled, of_plain)
    assert list(network.state_dict()) == names


def test_a_training_is_compiled_where_the_config_says_so(tmp_path: Path) -> None:
    write_tiny_task(tmp_path / "task")
    config = tiny_config(tmp_path, tmp_path / "task", tmp_path / "work", f"compile = {BACKEND!r}\n")
    runner = train(config, tmp_path / "task")
    assert is_compiled(runner.bare_model)
    assert runner.epoch == 3
