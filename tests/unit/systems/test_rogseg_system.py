"""A network of ours as a system: what it says of a prepared case."""

import dataclasses

import numpy as np
import pytest
from torch import nn

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
