"""Post-processing on small label maps drawn by hand."""

import numpy as np
import pytest

from rogseg.inference.postprocessing import (
    fuse_small_lesions,
    keep_largest_component,
    postprocess,
    with_postprocessing,
)
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan


def make_plan() -> TaskPlan:
    return TaskPlan(
        name="Task99_Made",
        channels=(ChannelIntensity("CT", rescale=False, lower=-100, upper=200, mean=50, std=60),),
        classes=(ForegroundClass("liver", "organ"), ForegroundClass("tumour", "lesion", min_voxels=4)),
        label_values=(0, 1, 2),
        spacing=(1, 1, 1),
        patch_size=(8, 8, 8),
        crop_size=(8, 8, 8),
        window_size=(8, 8, 8),
        strides=((1, 1, 1), (2, 2, 2), (2, 2, 2)),
    )


@pytest.fixture
def labels() -> np.ndarray:
    """A liver that a tumour cuts in two, a second liver elsewhere, a speck in the liver, one in the background."""
    labels = np.zeros((12, 10, 10), dtype=np.uint8)
    labels[1:4, 1:5, 1:5] = 1
    labels[4, 1:5, 1:5] = 2
    labels[5:7, 1:5, 1:5] = 1
    labels[9:11, 7:9, 7:9] = 1
    labels[2, 2, 2] = 2
    labels[9, 1, 1:3] = 2
    return labels


def test_an_organ_keeps_its_largest_piece_and_lesions_join_pieces(labels: np.ndarray) -> None:
    result = keep_largest_component(labels, 1, [2])
    assert not result[9:11, 7:9, 7:9].any()
    unchanged = np.ones(labels.shape, dtype=bool)
    unchanged[9:11, 7:9, 7:9] = False
    np.testing.assert_array_equal(result[unchanged], labels[unchanged])
    assert (keep_largest_component(labels, 1)[5:7] == 0).all()


def test_the_largest_piece_is_counted_in_organ_voxels() -> None:
    labels = np.zeros((12, 4, 4), dtype=np.uint8)
    labels[0:2] = 1
    labels[4] = 1
    labels[5:12] = 2
    np.testing.assert_array_equal(
        keep_largest_component(labels, 1, [2])[:5], labels[:5] * (np.arange(5) < 2)[:, None, None]
    )


def test_small_lesions_take_the_class_around_them(labels: np.ndarray) -> None:
    result = fuse_small_lesions(labels, 2, 4)
    assert result[2, 2, 2] == 1
    assert (result[9, 1, 1:3] == 0).all()
    assert (result[4, 1:5, 1:5] == 2).all()
    assert (result != labels).sum() == 3
    np.testing.assert_array_equal(fuse_small_lesions(labels, 2, 1), labels)


def test_a_lesion_without_surroundings_stays() -> None:
    full = np.full((2, 2, 2), 2, dtype=np.uint8)
    np.testing.assert_array_equal(fuse_small_lesions(full, 2, 100), full)


def test_the_plan_decides_which_class_is_treated(labels: np.ndarray) -> None:
    plan = make_plan()
    np.testing.assert_array_equal(postprocess(labels, plan), labels)
    only_lesions = with_postprocessing(plan, [2])
    assert [entry.postprocess for entry in only_lesions.classes] == [False, True]
    np.testing.assert_array_equal(postprocess(labels, only_lesions), fuse_small_lesions(labels, 2, 4))
    before = labels.copy()
    both = postprocess(labels, with_postprocessing(plan, [1, 2]))
    np.testing.assert_array_equal(both, keep_largest_component(fuse_small_lesions(labels, 2, 4), 1, [2]))
    np.testing.assert_array_equal(labels, before)
