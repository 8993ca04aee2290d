import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rogseg.preprocessing import (
    Volume,
    labels_to_raw_grid,
    preprocess_case,
    preprocess_volume,
    probabilities_to_raw_grid,
)
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan
from tests.unit.preprocessing.raw_files import cube_label, noise, save

PLAN = TaskPlan(
    name="test",
    channels=(
        ChannelIntensity("MRI", True, 0.1, 0.9, 0.5, 0.2),
        ChannelIntensity("CT", False, 60.0, 140.0, 100.0, 20.0),
    ),
    classes=(ForegroundClass("a", "organ"), ForegroundClass("b", "lesion", 3)),
    label_values=(0, 4, 2),
    spacing=(1.0, 1.0, 1.0),
    patch_size=(8, 8, 8),
    crop_size=(8, 8, 8),
    window_size=(8, 8, 8),
    strides=((1, 1, 1), (1, 1, 1), (1, 1, 1)),
)
AFFINE = np.array([[0, -0.5, 0, 3], [1, 0, 0, -2], [0, 0, 2, 9], [0, 0, 0, 1.0]])


def test_a_case_is_resampled_boxed_and_sampled(tmp_path: Path) -> None:
    shape = (16, 20, 12)
    raw = noise((*shape, 2))
    classes = cube_label(shape)
    image_path = save(tmp_path / "x.nii.gz", raw, AFFINE)
    label_path = save(tmp_path / "y.nii.gz", np.array([0, 4, 2], np.uint8)[classes], AFFINE)
    image, labels, properties = preprocess_case([image_path], PLAN, label_path)
    assert image.shape == (2, 16, 10, 24)
    assert properties.case_id == "x"
    assert properties.network_shape == (16, 10, 24)
    assert properties.raw_spacing == (1.0, 0.5, 2.0)
    assert np.allclose(properties.raw_affine, AFFINE)
    assert (properties.raw_lower[1], properties.raw_upper[1]) == (60.0, 140.0)
    spread = raw[..., 0].max() - raw[..., 0].min()
    assert np.isclose(properties.raw_lower[0], raw[..., 0].min() + 0.1 * spread)
    for channel in range(2):
        assert image[channel].min() >= np.float32(properties.box_lower[channel])
        assert image[channel].max() <= np.float32(properties.box_upper[channel])
    assert labels is not None
    assert properties.class_places is not None
    assert set(properties.class_places) == {1, 2}
    for index, places in properties.class_places.items():
        assert len(places) == min(1000, int((labels == index).sum())) == len(set(places))
        assert (labels.flat[places] == index).all()
    assert preprocess_case([image_path], PLAN)[1] is None


@pytest.mark.parametrize("ends", [(500.0, 900.0), (-900.0, 60.0)])
def test_a_scan_of_which_the_window_leaves_nothing_is_refused(ends: tuple[float, float]) -> None:
    """As one whose rescale intercept was lost: a network would see one grey."""
    array = np.stack([noise((8, 8, 8)), np.linspace(*ends, 512, dtype=np.float32).reshape(8, 8, 8)])
    volume = Volume.of_array(array, (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match=r"'ct': channel 1 \(CT\) reaches from .* 60 to 140, so a network sees"):
        preprocess_volume(volume, PLAN, None, "ct")
    array[1, 4, 4, 4] = 100
    _, _, properties = preprocess_volume(volume, PLAN, None, "ct")
    assert "channel 1 (CT): 99.80% of the voxels lie at one end of the window" in properties.notes[0]


def test_labels_come_back_to_the_raw_grid() -> None:
    classes = cube_label((16, 20, 12))
    volume = Volume(noise((2, 16, 20, 12)), np.diag([0.5, 1.0, 2.0, 1.0]))
    _, labels, properties = preprocess_volume(volume, PLAN, classes, "x")
    assert labels is not None
    back = labels_to_raw_grid(labels, properties)
    assert back.shape == classes.shape
    assert (back != classes).mean() < 0.03
    one_hot = np.eye(3)[labels].transpose(3, 0, 1, 2)
    assert np.array_equal(probabilities_to_raw_grid(one_hot, properties), back)


def test_the_coarse_axis_goes_back_by_nearest_neighbour() -> None:
    # 6 mm slices, stored at 3 mm: a raw slice lies between two of the network's, and takes the second, not the mean.
    plan = dataclasses.replace(PLAN, spacing=(1.0, 1.0, 3.0))
    volume = Volume(noise((2, 8, 8, 5)), np.diag([1.0, 1.0, 6.0, 1.0]))
    properties = preprocess_volume(volume, plan, None, "x")[2]
    assert properties.network_shape == (8, 8, 10)
    share = np.where(np.arange(10) % 2 == 0, 0.9, 0.4)  # of class 1; the mean of two slices is 0.65
    probabilities = np.broadcast_to(np.stack([1 - share, share])[:, None, None], (2, 8, 8, 10))
    assert (probabilities_to_raw_grid(probabilities, properties) == 0).all()
    labels = np.broadcast_to((np.arange(10) % 2 == 0).astype(np.uint8), (8, 8, 10))
    assert (labels_to_raw_grid(labels, properties) == 0).all()
    # With spacings that are not that uneven the mean decides.
    even = dataclasses.replace(properties, raw_spacing=(3.0, 3.0, 6.0))
    assert (probabilities_to_raw_grid(probabilities, even) == 1).all()


def test_equal_grids_are_exact_and_inputs_stay() -> None:
    classes = cube_label((8, 9, 7))
    volume = Volume(noise((2, 8, 9, 7)), np.eye(4))
    before = volume.array.copy()
    image, labels, properties = preprocess_volume(volume, PLAN, classes, "x")
    assert np.array_equal(volume.array, before)
    assert labels is not None
    assert np.array_equal(labels, classes)
    assert np.array_equal(labels_to_raw_grid(labels, properties), classes)
    scores = np.random.default_rng(0).random((3, 8, 9, 7))
    assert np.array_equal(probabilities_to_raw_grid(scores, properties), scores.argmax(0))
    assert np.allclose(image[1], (np.clip(before[1], 60, 140) - 100) / 20, atol=1e-5)
