"""Labels on the raw grid: exact where the grids agree, the same structures where they do not."""

import dataclasses
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from torch import Tensor

from rogseg.inference.export import raw_grid_labels, write_prediction
from rogseg.inference.postprocessing import with_postprocessing
from rogseg.storage import CaseProperties
from rogseg.task_plan import Triple
from tests.unit.inference.test_postprocessing import make_plan

AFFINE = ((0.0, 2.0, 0.0, -3.0), (1.0, 0.0, 0.0, 5.0), (0.0, 0.0, 1.5, 7.0), (0.0, 0.0, 0.0, 1.0))


def make_properties(network_shape: Triple, raw_shape: Triple) -> CaseProperties:
    return CaseProperties(
        case_id="one",
        raw_shape=raw_shape,
        raw_affine=AFFINE,
        raw_spacing=(1.0, 2.0, 1.5),
        network_shape=network_shape,
        raw_lower=(0.0,),
        raw_upper=(1.0,),
        box_lower=(-1.0,),
        box_upper=(1.0,),
        source_digest="",
        class_places=None,
    )


def one_hot_logits(labels: np.ndarray) -> Tensor:
    return torch.stack([torch.from_numpy((labels == index).astype(np.float32)) * 20 for index in range(3)])


@pytest.fixture
def labels() -> np.ndarray:
    labels = np.zeros((12, 10, 10), dtype=np.uint8)
    labels[2:9, 2:8, 2:8] = 1
    labels[4:6, 4:7, 4:7] = 2
    labels[11, 9, 9] = 1
    return labels


def test_equal_grids_give_the_highest_class(labels: np.ndarray) -> None:
    result = raw_grid_labels(one_hot_logits(labels), make_plan(), make_properties(labels.shape, labels.shape))
    np.testing.assert_array_equal(result, labels)
    assert result.dtype == np.uint8


def test_other_grids_keep_structures_and_post_processing_holds(labels: np.ndarray) -> None:
    raw_shape = (24, 20, 10)
    plan, properties = make_plan(), make_properties(labels.shape, raw_shape)
    expected = labels.repeat(2, axis=0).repeat(2, axis=1)
    result = raw_grid_labels(one_hot_logits(labels), plan, properties)
    assert result.shape == raw_shape
    # Twice as many voxels along two axes: linear interpolation moves no border by half a raw voxel.
    assert (result != expected).mean() < 0.01
    assert result[22:, 18:, 9].any()
    cleaned = raw_grid_labels(one_hot_logits(labels), with_postprocessing(plan, [1]), properties)
    assert not cleaned[20:].any()
    np.testing.assert_array_equal(cleaned[:18], result[:18])


def test_the_file_has_raw_values_and_raw_affine(labels: np.ndarray, tmp_path: Path) -> None:
    plan = dataclasses.replace(make_plan(), label_values=(0, 3, 7))
    path = tmp_path / "one.nii.gz"
    write_prediction(path, labels, plan, make_properties(labels.shape, labels.shape))
    image = nibabel.load(path)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_allclose(image.affine, AFFINE)
    np.testing.assert_array_equal(np.asarray(image.dataobj), np.array([0, 3, 7])[labels])
    assert list(tmp_path.iterdir()) == [path]


def test_logits_of_another_shape_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"'one': logits have shape \(3, 12, 10, 10\), expected \(3, 6, 10, 10\)"):
        raw_grid_labels(one_hot_logits(labels), make_plan(), make_properties((6, 10, 10), labels.shape))
