from typing import Any

import pytest

from rogseg.engine.attacking.threats import DEFAULT_THREAT, ThreatFactory
from rogseg.estimation.calibration import PassSeconds
from rogseg.estimation.volume_costs import (
    AttackPasses,
    AttackTime,
    count_attack_passes,
    volume_memory,
    windows_per_axis,
)
from rogseg.registry import ATTACKS
from rogseg.task_plan import Triple
from tests.tiny_task import tiny_plan

BYTES = 4  # of a float32


def passes(config: dict[str, Any], windows: Triple, mirror_axes: tuple[int, ...] = ()) -> AttackPasses:
    threat = ThreatFactory(DEFAULT_THREAT)
    return count_attack_passes(ATTACKS.build(config), threat, 8 / 255, tiny_plan(), windows, 0.5, mirror_axes)


def test_windows_of_a_volume() -> None:
    # Steps of 128, 128 and 48 voxels; the last window ends with the volume.
    assert windows_per_axis((512, 512, 300), (256, 256, 96), 0.5) == (3, 3, 6)
    assert windows_per_axis((10, 256, 97), (256, 256, 96), 0.5) == (1, 1, 2)


def test_one_window_goes_forward_and_backward_at_once() -> None:
    # One gradient step, and the evaluation of its result.
    assert passes({"type": "FGSM"}, (1, 1, 1)) == AttackPasses(2, 1, 1, 1, forward_windows=1, gradient_windows=1)


def test_of_several_windows_each_gradient_runs_the_network_twice() -> None:
    assert passes({"type": "FGSM"}, (3, 2, 1)) == AttackPasses(2, 1, 6, 1, forward_windows=12, gradient_windows=6)
    found = passes({"type": "APGD", "num_iterations": 20}, (1, 2, 1))
    assert found == AttackPasses(22, 20, 2, 1, forward_windows=44, gradient_windows=40)


def test_every_mirrored_copy_of_a_window_is_counted() -> None:
    found = passes({"type": "FGSM"}, (1, 1, 1), (0, 1, 2))
    assert found == AttackPasses(2, 1, 1, 8, forward_windows=16, gradient_windows=8)
    found = passes({"type": "FGSM"}, (3, 2, 1), (2,))
    assert found == AttackPasses(2, 1, 6, 2, forward_windows=24, gradient_windows=12)


def test_square_runs_only_the_windows_that_a_cuboid_touches() -> None:
    found = passes({"type": "Square", "num_queries": 50}, (3, 3, 3))
    assert (found.num_forward, found.num_backward, found.gradient_windows) == (51, 0, 0)
    assert 51 < found.forward_windows < 51 * 27


def test_a_cascade_is_counted_to_its_end() -> None:
    every, cascade = (
        passes({"type": "AutoAttack", "num_iterations": 3, "num_queries": 5, "mode": mode}, (1, 1, 1))
        for mode in ("all", "cascade")
    )
    assert cascade == every


def test_seconds_of_an_attack() -> None:
    window = PassSeconds(forward=2, input_gradient=5, training_step=100)
    assert AttackTime.of(AttackPasses(2, 1, 6, 1, 12, 6), window).seconds == pytest.approx(12 * 2 + 6 * 5)


def test_one_window() -> None:
    found = volume_memory(tiny_plan(), (16, 16, 16), (16, 16, 16), 0.5)
    voxels = 16**3
    # The volume and three logits, then a gradient of each; the tables of the windows' weights are small.
    assert 0 <= found.inference - BYTES * voxels * (1 + 3) < 1000
    assert 0 <= found.gradient - BYTES * voxels * (1 + 3 + 3 + 1) < 1000


def test_many_windows_hold_the_volume_and_the_blend() -> None:
    found = volume_memory(tiny_plan(), (60, 60, 60), (16, 16, 16), 0.5)
    volume, window = 60**3, 16**3
    assert BYTES * volume * 4 < found.inference < BYTES * (volume * 4 + window * 8)
    assert BYTES * volume * 8 < found.gradient < BYTES * (volume * 8 + window * 20)


def test_a_large_volume_is_scaled() -> None:
    small = volume_memory(tiny_plan(), (100, 100, 100), (48, 48, 48), 0.5)
    large = volume_memory(tiny_plan(), (300, 300, 300), (144, 144, 144), 0.5)
    assert large.inference == pytest.approx(27 * small.inference, rel=0.02)
    assert large.gradient == pytest.approx(27 * small.gradient, rel=0.02)
