import pytest

from rogseg.engine.estimation.volume_memory import volume_memory
from tests.tiny_task import tiny_plan

BYTES = 4  # of a float32


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
