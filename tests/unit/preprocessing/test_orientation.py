import dataclasses
import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from rogseg.inference import write_prediction
from rogseg.preprocessing import (
    Volume,
    labels_to_raw_grid,
    network_axes,
    network_spacing,
    preprocess_case,
    preprocess_task,
    preprocess_volume,
    probabilities_to_raw_grid,
)
from rogseg.preprocessing.orientation import (
    axes_between,
    from_plan_order,
    in_plan_order,
    most_common_orientation,
    orientation_of,
    plan_to_file,
    to_plan_order,
)
from rogseg.preprocessing.raw_grid import network_affine
from rogseg.storage import CaseProperties, StoredTask
from rogseg.task_plan import is_orientation
from tests.tiny_task import tiny_plan
from tests.unit.preprocessing.raw_files import cube_label, noise, save, write_task

ALL = ["".join(letters) for letters in itertools.product("RLAPSI", repeat=3) if is_orientation("".join(letters))]
OBLIQUE = np.array([[0.9, 0.1, -0.05, 4], [-0.1, 0.8, 0.02, -7], [0.06, -0.01, 2.5, 30], [0, 0, 0, 1]])


def _stored_as(image: nibabel.Nifti1Image, orientation: str) -> nibabel.Nifti1Image:
    """The same patient in another order of axes, as nibabel does it."""
    ours, wanted = nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(orientation)
    return image.as_reoriented(nibabel.orientations.ornt_transform(ours, wanted))


def test_there_are_48_orders_and_nibabel_names_them_alike() -> None:
    assert len(ALL) == 48
    for orientation in ALL:
        affine = _stored_as(nibabel.Nifti1Image(np.zeros((2, 3, 4)), OBLIQUE), orientation).affine
        assert orientation_of(affine) == orientation == "".join(nibabel.aff2axcodes(affine))


@pytest.mark.parametrize("orientation", ALL)
def test_every_order_is_brought_into_the_plans_and_back_as_nibabel_does(orientation: str) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    plan = nibabel.Nifti1Image(array, OBLIQUE)  # RAS
    file = _stored_as(plan, orientation)
    axes = axes_between(orientation, "RAS")
    moved = to_plan_order(np.asarray(file.dataobj), axes)
    assert np.array_equal(moved, array)
    assert np.array_equal(from_plan_order(moved, axes), np.asarray(file.dataobj))
    assert in_plan_order(file.shape, axes) == array.shape
    assert np.allclose(file.affine @ plan_to_file(axes, file.shape), OBLIQUE)


def test_the_most_common_order_counts_and_the_first_where_none_is() -> None:
    assert most_common_orientation(["LPS", "RAS", "RAS"]) == "RAS"
    assert most_common_orientation(["LPS", "RAS"]) == "LPS"
    assert most_common_orientation([]) is None


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 2.0), (0.7, 1.1, 3.5)])
@pytest.mark.parametrize("orientation", ["PIR", "LPS", "ASL"])
def test_a_case_is_the_same_in_whatever_order_it_is_stored(
    tmp_path: Path, orientation: str, spacing: tuple[float, float, float]
) -> None:
    plan = dataclasses.replace(tiny_plan(), orientation="RAS")
    shape = (14, 16, 12)
    affine = np.diag([*spacing, 1.0])
    files = {name: nibabel.Nifti1Image(a, affine) for name, a in (("i", noise(shape)), ("l", cube_label(shape)))}
    for name, file in files.items():
        nibabel.save(file, tmp_path / f"{name}.nii")
        nibabel.save(_stored_as(file, orientation), tmp_path / f"{name}_other.nii")
    image, labels, properties = preprocess_case([tmp_path / "i.nii"], plan, tmp_path / "l.nii", "a")
    other, other_labels, moved = preprocess_case([tmp_path / "i_other.nii"], plan, tmp_path / "l_other.nii", "a")
    assert labels is not None
    assert other_labels is not None
    assert np.array_equal(other, image)
    assert np.array_equal(other_labels, labels)
    assert moved.class_places == properties.class_places
    assert np.allclose(network_affine(moved), network_affine(properties))
    assert network_axes(moved) == network_axes(properties) == "RAS"
    assert network_spacing(properties) == pytest.approx(plan.spacing, rel=0.1)
    assert np.allclose(network_spacing(moved), network_spacing(properties))
    # The way back: to each file's own grid.
    for kind in (labels_to_raw_grid, _by_probabilities):
        write_prediction(tmp_path / "p.nii.gz", kind(labels, moved), plan, moved)
        back = nibabel.load(tmp_path / "p.nii.gz")
        assert back.shape == nibabel.load(tmp_path / "i_other.nii").shape
        assert np.allclose(back.affine, nibabel.load(tmp_path / "i_other.nii").affine)
        assert np.array_equal(np.asarray(_stored_as(back, "RAS").dataobj), kind(labels, properties))


def test_without_an_orientation_in_the_plan_a_file_is_taken_as_it_is_stored(tmp_path: Path) -> None:
    affine = np.diag([-1.0, 1.0, 2.0, 1.0])
    image = preprocess_case([save(tmp_path / "a.nii", noise((8, 9, 10)), affine)], tiny_plan())[0]
    assert (
        np.array_equal(image, preprocess_case([save(tmp_path / "b.nii", noise((8, 9, 10)))], tiny_plan())[0]) is False
    )
    plain = preprocess_case([save(tmp_path / "c.nii", noise((8, 9, 10)), np.diag([1.0, 1.0, 2.0, 1.0]))], tiny_plan())[
        0
    ]
    assert np.array_equal(image, plain)


def test_an_array_is_in_the_plans_order() -> None:
    plan = dataclasses.replace(tiny_plan(), orientation="LPI")
    image, _, properties = preprocess_volume(Volume.of_array(noise((8, 9, 10)), (1, 1, 2)), plan, None, "a")
    assert properties.axes == (1, 2, 3)
    assert image.shape == (1, 8, 9, 10)


def _by_probabilities(labels: NDArray[np.uint8], properties: CaseProperties) -> NDArray[np.uint8]:
    return probabilities_to_raw_grid(np.eye(3)[labels].transpose(3, 0, 1, 2), properties)


def _in_other_orders(raw: Path) -> None:
    for path, orientation in zip(sorted((raw / "imagesTr").iterdir()), ("RAS", "PIR", "RAS", "LAS"), strict=True):
        for file in (path, raw / "labelsTr" / path.name):
            image = nibabel.Nifti1Image(np.asarray(nibabel.load(file).dataobj), nibabel.load(file).affine)
            nibabel.save(_stored_as(image, orientation), file)


def test_a_training_set_of_mixed_order_becomes_one(tmp_path: Path) -> None:
    straight = preprocess_task(write_task(tmp_path / "one" / "Mine"), tmp_path / "straight")
    raw = write_task(tmp_path / "two" / "Mine")
    _in_other_orders(raw)
    mixed = preprocess_task(raw, tmp_path / "mixed")
    assert straight.plan.orientation == "RAS"
    assert mixed.plan == straight.plan
    assert (mixed.directory / "fingerprint.json").read_text() == (straight.directory / "fingerprint.json").read_text()
    for key in straight.case_ids:
        assert np.array_equal(mixed.case(key).read_image(), straight.case(key).read_image())
        assert mixed.case(key).properties.class_places == straight.case(key).properties.class_places
    assert mixed.case("case_1").properties.axes == (3, -1, -2)
    assert StoredTask(tmp_path / "mixed").plan.orientation == "RAS"


def test_a_given_plan_learns_the_order_of_the_data(tmp_path: Path) -> None:
    raw = write_task(tmp_path / "Mine")
    for path in (*(raw / "imagesTr").iterdir(), *(raw / "labelsTr").iterdir(), *(raw / "imagesTs").iterdir()):
        nibabel.save(_stored_as(nibabel.load(path), "LPS"), path)
    plan = preprocess_task(raw, tmp_path / "first").plan
    assert plan.orientation == "LPS"
    given = dataclasses.replace(plan, orientation=None)
    assert preprocess_task(raw, tmp_path / "second", plan=given).plan.orientation == "LPS"
