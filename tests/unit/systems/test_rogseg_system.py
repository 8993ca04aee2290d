"""A network of ours as a system: what it says of a prepared case."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from rogseg.models.multi_planar import MultiPlanarSegmentor
from rogseg.preprocessing import Volume
from rogseg.systems import RogsegSystem
from tests.tiny_task import tiny_plan


@pytest.mark.parametrize(("orientation", "axes"), [(None, "PIR"), ("RAS", "RAS"), ("LSA", "LSA")])
def test_a_prepared_case_says_where_the_axes_of_the_network_s_grid_point(orientation: str | None, axes: str) -> None:
    plan = dataclasses.replace(tiny_plan(), orientation=orientation)
    values = np.random.default_rng(0).normal(50, 20, (1, 20, 18, 16)).astype(np.float32)
    affine = np.array([[0.0, 0.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    system = RogsegSystem(nn.Conv3d(1, 3, 1), plan, plan.window_size)
    assert system.prepare(Volume(values, affine)).axes == axes


def test_a_network_of_planes_is_segmented_with_and_attacked_as_any_other() -> None:
    plan = tiny_plan()
    torch.manual_seed(0)
    backbone = {"type": "PlanarUNet", "in_channels": 1, "num_classes": 3, "width": 8, "depth": 1}
    network = MultiPlanarSegmentor(backbone, 3, plan.spacing, [{"type": "CrossEntropyLoss"}])
    system = RogsegSystem(network, plan, plan.window_size)
    volume = torch.rand(1, 1, *plan.window_size, requires_grad=True)
    logits = system.logits(volume)
    assert logits.shape == (1, 3, *plan.window_size)
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), volume)
    assert gradient.abs().max() > 0


class Draws(nn.Conv3d):
    """Dropout that no mode switches off, as a backbone of one's own may have it."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(functional.dropout(inputs, 0.5))


class FollowsItsMode(nn.Conv3d):
    """Dropout that the mode switches off, which the network's own ``train`` keeps as it is."""

    def train(self, mode: bool = True) -> "FollowsItsMode":
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(functional.dropout(inputs, 0.5, training=self.training))


def test_a_network_of_another_answer_each_time_is_refused() -> None:
    plan = tiny_plan()
    system = RogsegSystem(Draws(1, 3, 1), plan, plan.window_size)
    with torch.no_grad(), pytest.raises(ValueError, match=r"another answer each time, .* switch that off"):
        system.logits(torch.rand(1, 1, *plan.window_size))


def test_a_network_is_in_evaluation_mode_whatever_its_own_train_does() -> None:
    plan = tiny_plan()
    system = RogsegSystem(FollowsItsMode(1, 3, 1), plan, plan.window_size)
    volume = torch.rand(1, 1, *plan.window_size)
    with torch.no_grad():
        assert torch.equal(system.logits(volume), system.logits(volume))


def test_passes_in_bfloat16_round_no_more_than_it_does_and_stand_in_the_identity() -> None:
    plan = tiny_plan()
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.Tanh(), nn.Conv3d(8, 3, 3, padding=1))
    plain = RogsegSystem(network, plan, plan.window_size)
    half = RogsegSystem(network, plan, plan.window_size, dtype="bfloat16")
    # Several windows, and one alone: each has a way of its own to the gradient.
    for shape in (plan.window_size, [2 * length for length in plan.window_size]):
        volume = torch.rand(1, 1, *shape)
        answers = []
        for system in (plain, half):
            moved = volume.clone().requires_grad_()
            logits = system.logits(moved)
            (gradient,) = torch.autograd.grad(logits[:, 1].sum(), moved)
            answers.append((logits.detach(), gradient))
        for exact, rounded in zip(*answers, strict=True):
            assert rounded.dtype == torch.float32
            error = (rounded - exact).abs().max() / exact.abs().max()
            assert 0 < error < 0.05
    assert "dtype" not in plain.identity.options
    assert half.identity.options["dtype"] == "bfloat16"
