from collections.abc import Iterator

import pytest
import torch
from torch import nn

from rogseg.systems import RogsegSystem, TorchModule, rogseg_system
from rogseg.systems.any_network import network_system
from rogseg.systems.exact_arithmetic import compute_exactly
from tests.tiny_task import tiny_plan
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, TinyNetwork


def settings() -> tuple[bool, ...]:
    cudnn = torch.backends.cudnn
    return (torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic)


@pytest.fixture(autouse=True)
def as_a_training_leaves_it() -> Iterator[None]:
    before, cudnn = settings(), torch.backends.cudnn
    torch.backends.cuda.matmul.allow_tf32 = cudnn.allow_tf32 = cudnn.benchmark = True
    cudnn.deterministic = False
    yield
    torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = before


@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda", 0)])
def test_a_gpu_computes_in_float32_and_repeats_itself(device: str | torch.device) -> None:
    compute_exactly(device)
    assert settings() == (False, False, False, True)


def test_a_cpu_changes_nothing() -> None:
    compute_exactly("cpu")
    assert settings() == (True, True, True, False)


def test_systems_ask_for_it_when_they_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.device] = []
    for module in (rogseg_system, network_system):
        monkeypatch.setattr(module, "compute_exactly", asked.append)
    RogsegSystem(nn.Conv3d(1, 3, 1), tiny_plan(), (8, 8, 8))
    TorchModule(TinyNetwork(), INPUTS, WINDOWS, OUTPUTS)
    assert asked == [torch.device("cpu")] * 2
