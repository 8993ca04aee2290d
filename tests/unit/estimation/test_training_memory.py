import contextlib
import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.config import Config
from torch import nn

from rogseg.engine.config.load import load_config
from rogseg.engine.config.task import plan_of
from rogseg.estimation.training_memory import (
    PatchMemory,
    TrainingMemory,
    cpu_memory_estimate,
    gpu_memory_estimate,
    patch_memory,
    state_bytes,
)
from rogseg.models.kernels import dispatch
from rogseg.registry import MODELS
from rogseg.task_plan import Triple
from rogseg.trainers import AdversarialTrainer, StandardTrainer, Trainer
from rogseg.trainers.crafts import PGDCraft
from rogseg.trainers.losses import TRADES
from tests.tiny_training import ROOT

SMALL: Triple = (16, 24, 16)
FULL: Triple = (32, 48, 32)
BATCH = 2

# A small step first: what is loaded once is no memory of the step.
MEASURE_RESIDENT = f"""
from pathlib import Path
import torch
from rogseg.engine.config.load import load_config
from rogseg.registry import MODELS

def resident(entry):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry)) * 1024

def step(size):
    inputs, targets = torch.randn({BATCH}, 1, *size), torch.zeros({BATCH}, *size, dtype=torch.long)
    sum(model(inputs, targets, mode="loss").values()).backward()

model = MODELS.build(load_config("configs/rog/rog_standard_hippocampus_light.py").model)
step((16, 16, 16))
Path("/proc/self/clear_refs").write_text("5")  # the peak of resident memory starts again
before = resident("VmRSS")
step({FULL})
print(resident("VmHWM") - before)
"""


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config(ROOT / "configs/rog/rog_standard_hippocampus_light.py")


@pytest.fixture(scope="module")
def model(config: Config) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = MODELS.build(config.model).train()
    return network


def count(model: nn.Module, config: Config, size: Triple, trainer: Trainer | None = None) -> PatchMemory:
    return patch_memory(model, trainer or StandardTrainer(), plan_of(config), size, contextlib.nullcontext())


@pytest.fixture(scope="module")
def counted(model: nn.Module, config: Config) -> dict[Triple, PatchMemory]:
    return {size: count(model, config, size) for size in (SMALL, FULL)}


def test_a_small_pass_tells_a_full_one(counted: dict[Triple, PatchMemory]) -> None:
    scaled = counted[SMALL].scaled(8)
    assert scaled.saved == pytest.approx(counted[FULL].saved, rel=0.2)
    assert scaled.total == pytest.approx(counted[FULL].total, rel=0.2)


@pytest.mark.check
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of resident memory needs Linux")
def test_the_count_is_what_a_training_step_occupies(counted: dict[Triple, PatchMemory]) -> None:
    command = [sys.executable, "-c", MEASURE_RESIDENT]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert BATCH * counted[FULL].total == pytest.approx(int(done.stdout), rel=0.2)


def test_meta_counts_what_the_plain_path_saves(
    model: nn.Module, config: Config, monkeypatch: pytest.MonkeyPatch, counted: dict[Triple, PatchMemory]
) -> None:
    on_meta = count(copy.deepcopy(model).to("meta"), config, SMALL)
    monkeypatch.setattr(dispatch, "_own_kernels", lambda inputs: False)
    plain = count(model, config, SMALL)
    assert on_meta.saved == pytest.approx(plain.saved, rel=0.01)
    assert on_meta.total == pytest.approx(plain.total, rel=0.02)
    assert counted[SMALL].saved < plain.saved


def test_trades_holds_three_graphs(model: nn.Module, config: Config) -> None:
    meta = copy.deepcopy(model).to("meta")
    one, three = count(meta, config, SMALL), count(meta, config, SMALL, AdversarialTrainer(PGDCraft(), TRADES()))
    assert three.saved == pytest.approx(3 * one.saved, rel=0.05)


def test_state_of_adam_with_amsgrad() -> None:
    model = nn.Conv3d(2, 4, 3)
    number = 2 * 4 * 27 + 4
    # Weight and gradient; two moments and the highest second one; a step counter for each of the two tensors.
    assert state_bytes(model, {"type": "Adam", "amsgrad": True}) == 4 * (5 * number + 2)
    assert state_bytes(model, {"type": "SGD", "lr": 0.1}) == 4 * 2 * number
    assert all(parameter.grad is None for parameter in model.parameters())


@given(memory=st.integers(0, 10**12), more=st.integers(0, 10**12))
def test_the_largest_batch_fits_the_next_does_not_and_memory_never_hurts(memory: int, more: int) -> None:
    needed = TrainingMemory(41_500_000, PatchMemory(165e6, 5e6))
    largest = needed.largest_batch(memory)
    assert needed.of_batch(largest) <= memory or largest == 0
    assert needed.of_batch(largest + 1) > memory
    assert needed.largest_batch(memory + more) >= largest


def test_estimates_of_both_kinds(model: nn.Module, config: Config, counted: dict[Triple, PatchMemory]) -> None:
    on_gpu = gpu_memory_estimate(model, StandardTrainer(), plan_of(config), config.optim_wrapper, FULL, 10**9)
    assert on_gpu.budget == 10**9
    assert on_gpu.needed.largest_batch(10**9) == (10**9 - on_gpu.needed.state) // on_gpu.needed.patch.total
    on_cpu = cpu_memory_estimate(model, StandardTrainer(), plan_of(config), config.optim_wrapper, FULL)
    assert on_cpu.counted_at == FULL
    assert on_cpu.needed.patch == counted[FULL]
