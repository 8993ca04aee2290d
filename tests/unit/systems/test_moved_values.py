"""Raw voxels moved as an adversary asks."""

import numpy as np

from rogseg.preprocessing import Volume
from rogseg.systems.moved_values import moved_volume

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def volume(values: list[float]) -> Volume:
    return Volume(np.array(values, dtype=np.float32).reshape(1, 2, 2, -1), AFFINE)


def test_a_voxel_moves_from_inside_of_the_window_or_stays() -> None:
    raw = volume([-500, -500, 50, 90, 900, 900, 100, 0])
    moves = np.array([10, 0, 20, 20, -30, 0, -5, -5], dtype=np.float64).reshape(raw.array.shape)
    moved = moved_volume(raw, moves, [(0.0, 100.0)], [False])
    assert moved.array.flatten().tolist() == [10, -500, 70, 100, 70, 900, 95, 0]
    assert moved.array.dtype == np.float32
    assert (moved.affine == AFFINE).all()
    assert moved.notes == ()
    without = moved_volume(raw, moves, [None], [False], ["why"])
    assert without.array.flatten().tolist() == [-490, -500, 70, 110, 870, 900, 95, -5]
    assert without.notes == ("why",)


def test_one_voxel_of_each_end_keeps_the_range_where_that_is_seen_least() -> None:
    # Both darkest voxels would move: the one that is pushed against the window's end is seen where it was sent.
    raw = volume([0, 0, 40, 50, 60, 70, 80, 100])
    moves = np.array([8, -8, 8, 8, -8, -8, 8, -8], dtype=np.float64).reshape(raw.array.shape)
    moved = moved_volume(raw, moves, [(10.0, 90.0)], [True])
    assert moved.array.flatten().tolist() == [18, 0, 48, 58, 52, 62, 88, 100]
    assert moved.notes == (
        "one voxel keeps the highest intensity of channel 0, which the case is rescaled by, and is seen 10.00% of the "
        "range away from where it was moved",
    )
    still = moved_volume(raw, np.zeros(raw.array.shape), [(10.0, 90.0)], [True])
    assert (still.array == raw.array).all()
    assert still.notes == ()
