from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rogseg.engine.attacking.threats import DEFAULT_THREAT, ThreatFactory
from rogseg.estimation.calibration import PassSeconds
from rogseg.estimation.memory_counting import LiveMemory
from rogseg.estimation.volume_costs import (
    AttackPasses,
    AttackTime,
    count_attack_passes,
    volume_memory,
    windows_per_axis,
)
from rogseg.estimation.window_counting import WindowCounter
from rogseg.inference import VolumeLogits
from rogseg.registry import ATTACKS
from rogseg.task_plan import Triple
from tests.tiny_task import tiny_plan

BYTES = 4  # of a float32
WINDOW = (16, 16, 16)
# So many windows of 16 at half overlap.
ONE, TWO, SIX = (16, 16, 16), (16, 24, 16), (32, 24, 16)


def passes(
    config: dict[str, Any], volume: Triple, mirror_axes: tuple[int, ...] = (), window: Triple = WINDOW
) -> AttackPasses:
    threat = ThreatFactory(DEFAULT_THREAT)
    return count_attack_passes(ATTACKS.build(config), threat, 8 / 255, tiny_plan(), volume, window, 0.5, mirror_axes)


def test_windows_of_a_volume() -> None:
    # Steps of 128, 128 and 48 voxels; the last window ends with the volume.
    assert windows_per_axis((512, 512, 300), (256, 256, 96), 0.5) == (3, 3, 6)
    assert windows_per_axis((10, 256, 97), (256, 256, 96), 0.5) == (1, 1, 2)


def test_one_window_goes_forward_and_backward_at_once() -> None:
    # One gradient step, and the evaluation of its result.
    assert passes({"type": "FGSM"}, ONE) == AttackPasses(2, 1, 1, 1, forward_windows=1, gradient_windows=1)


def test_of_several_windows_each_gradient_runs_the_network_twice() -> None:
    assert passes({"type": "FGSM"}, SIX) == AttackPasses(2, 1, 6, 1, forward_windows=12, gradient_windows=6)
    found = passes({"type": "APGD", "num_iterations": 20}, TWO)
    assert found == AttackPasses(22, 20, 2, 1, forward_windows=44, gradient_windows=40)


def test_every_mirrored_copy_of_a_window_is_counted() -> None:
    found = passes({"type": "FGSM"}, ONE, (0, 1, 2))
    assert found == AttackPasses(2, 1, 1, 8, forward_windows=16, gradient_windows=8)
    found = passes({"type": "FGSM"}, SIX, (2,))
    assert found == AttackPasses(2, 1, 6, 2, forward_windows=24, gradient_windows=12)


def test_square_runs_only_the_windows_that_a_cuboid_touches() -> None:
    found = passes({"type": "Square", "num_queries": 50}, (32, 32, 32))
    assert (found.num_forward, found.num_backward, found.gradient_windows) == (51, 0, 0)
    assert 51 < found.forward_windows < 51 * 27


# A real sliding window with a network that counts was asked for these; 300 queries on two of another seed differ by 3%.
@pytest.mark.parametrize(
    ("volume", "windows"),
    [((34, 52, 33), 2408), ((37, 50, 38), 2348), ((48, 72, 48), 1377), ((64, 96, 64), 2896), ((96, 120, 96), 6380)],
)
def test_square_is_counted_where_the_windows_of_the_real_volume_lie(volume: Triple, windows: int) -> None:
    found = passes({"type": "Square", "num_queries": 300}, volume, window=(32, 48, 32))
    assert found.forward_windows == pytest.approx(windows, rel=0.07)


def test_counting_on_a_large_volume_is_exact_and_takes_no_pass_over_its_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(WindowCounter, "evaluate", _noting(WindowCounter.evaluate, sizes))
    found = passes({"type": "APGD", "num_iterations": 5}, (512, 512, 300), window=(32, 48, 32))
    assert found == AttackPasses(7, 5, 31 * 21 * 18, 1, 7 * 31 * 21 * 18, 5 * 31 * 21 * 18)
    assert len(sizes) == 7
    assert max(sizes) < 10_000


def _noting(
    evaluate: Callable[[WindowCounter, Tensor], Tensor], sizes: list[int]
) -> Callable[[WindowCounter, Tensor], Tensor]:
    def noted(self: WindowCounter, inputs: Tensor) -> Tensor:
        sizes.append(inputs[0, 0].numel())
        return evaluate(self, inputs)

    return noted


def test_a_cascade_is_counted_to_its_end() -> None:
    every, cascade = (
        passes({"type": "AutoAttack", "num_iterations": 3, "num_queries": 5, "mode": mode}, ONE)
        for mode in ("all", "cascade")
    )
    assert cascade == every


def test_seconds_of_an_attack() -> None:
    window = PassSeconds(forward=2, input_gradient=5, training_step=100)
    assert AttackTime.of(AttackPasses(2, 1, 6, 1, 12, 6), window).seconds == pytest.approx(12 * 2 + 6 * 5)


def test_one_window() -> None:
    found = volume_memory(tiny_plan(), (16, 16, 16), (16, 16, 16))
    voxels = 16**3
    # The volume and three logits, then a gradient of each; the tables of the windows' weights are small.
    assert 0 <= found.inference - BYTES * voxels * (1 + 3) < 1000
    assert 0 <= found.gradient - BYTES * voxels * (1 + 3 + 3 + 1) < 1000


def test_many_windows_hold_the_volume_and_the_blend() -> None:
    found = volume_memory(tiny_plan(), (60, 60, 60), (16, 16, 16))
    volume, window = 60**3, 16**3
    assert BYTES * volume * 4 < found.inference < BYTES * (volume * 4 + window * 8)
    assert BYTES * volume * 8 < found.gradient < BYTES * (volume * 8 + window * 20)


@pytest.mark.parametrize("volume", [(100, 90, 20), (65, 48, 32), (34, 52, 33), (20, 20, 20), (97, 97, 97)])
def test_memory_is_that_of_windows_over_the_whole_volume(volume: Triple) -> None:
    found, window = volume_memory(tiny_plan(), volume, (32, 48, 32)), (32, 48, 32)
    weight = torch.zeros(3, 1, 1, 1, 1)
    logits = VolumeLogits(lambda windows: functional.conv3d(windows, weight), window)
    with LiveMemory((weight,)) as counted:
        leaf = torch.zeros(1, 1, *volume).requires_grad_()
        blended = logits(leaf)
        torch.autograd.grad(blended, leaf, torch.zeros_like(blended))
    assert found.gradient == pytest.approx(counted.peak, rel=2e-3)


def test_memory_of_a_volume_of_many_windows_follows_from_its_voxels() -> None:
    found = volume_memory(tiny_plan(), (512, 512, 300), (32, 48, 32))
    # The volume and three logits, and a gradient of each; a window is nothing beside it.
    assert found.inference == pytest.approx(BYTES * 512 * 512 * 300 * 4, rel=5e-3)
    assert found.gradient == pytest.approx(BYTES * 512 * 512 * 300 * 8, rel=5e-3)


def test_a_large_volume_is_scaled() -> None:
    small = volume_memory(tiny_plan(), (100, 100, 100), (48, 48, 48))
    large = volume_memory(tiny_plan(), (300, 300, 300), (144, 144, 144))
    assert large.inference == pytest.approx(27 * small.inference, rel=0.02)
    assert large.gradient == pytest.approx(27 * small.gradient, rel=0.02)
