"""Lesions that can be counted by hand."""

import numpy as np
import pytest

from rogseg.metrics import LesionFalsePositives, LesionSensitivity
from rogseg.metrics.base import Mask, Spacing

SPACING: Spacing = (10.0, 10.0, 10.0)  # a voxel is 1 ml


def lesions(*slices: tuple[slice, slice]) -> Mask:
    mask = np.zeros((20, 20, 3), dtype=bool)
    for rows, columns in slices:
        mask[rows, columns, 1] = True
    return mask


TARGET = lesions((slice(0, 1), slice(0, 2)), (slice(5, 9), slice(0, 5)), (slice(12, 13), slice(0, 1)))  # 2, 20, 1 ml


def test_found_and_false_lesions_by_size() -> None:
    # One voxel of the large lesion, none of the others, and two false ones of 1 and 6 ml.
    prediction = lesions((slice(8, 9), slice(4, 5)), (slice(15, 16), slice(10, 11)), (slice(18, 20), slice(10, 13)))
    assert LesionSensitivity()(prediction, TARGET, SPACING) == pytest.approx(1 / 3)
    assert LesionSensitivity(min_volume=2.0)(prediction, TARGET, SPACING) == pytest.approx(1 / 2)
    assert LesionSensitivity(max_volume=20.0)(prediction, TARGET, SPACING) == 0.0
    assert LesionSensitivity(min_volume=21.0)(prediction, TARGET, SPACING) is None
    assert LesionFalsePositives()(prediction, TARGET, SPACING) == 2
    assert LesionFalsePositives(min_volume=2.0)(prediction, TARGET, SPACING) == 1


def test_how_much_of_a_lesion_must_be_covered() -> None:
    half = lesions((slice(5, 7), slice(0, 5)))
    assert LesionSensitivity(min_overlap=0.5)(half, TARGET, SPACING) == pytest.approx(1 / 3)
    assert LesionSensitivity(min_overlap=0.51)(half, TARGET, SPACING) == 0.0
    wide = lesions((slice(5, 9), slice(0, 10)))
    assert LesionFalsePositives(min_overlap=0.5)(wide, TARGET, SPACING) == 0
    assert LesionFalsePositives(min_overlap=0.51)(wide, TARGET, SPACING) == 1


@pytest.mark.parametrize(("found", "size"), [(7, 25), (14, 25), (51, 75), (1, 10)])
def test_a_share_that_is_just_covered_is_covered(found: int, size: int) -> None:
    target, prediction = (lesions((slice(0, 1), slice(0, 1))).repeat(99, axis=0) for _ in range(2))
    target[size:], prediction[found:] = False, False
    assert LesionSensitivity(min_overlap=found / size)(prediction, target, SPACING) == 1.0


def test_a_diagonal_neighbour_belongs_to_the_lesion() -> None:
    diagonal = lesions((slice(0, 1), slice(0, 1)), (slice(1, 2), slice(1, 2)))
    found = lesions((slice(1, 2), slice(1, 2)))
    assert LesionSensitivity()(found, diagonal, SPACING) == 1.0


def test_options_stand_in_the_name() -> None:
    assert LesionSensitivity().name == "lesion sensitivity"
    assert LesionSensitivity(min_volume=0.1, max_volume=1.0).name == "lesion sensitivity 0.1-1 ml"
    assert LesionFalsePositives(min_volume=1.0, min_overlap=0.1).name == "false lesions from 1 ml, overlap 0.1"
    with pytest.raises(ValueError, match="no lesion lies between"):
        LesionSensitivity(min_volume=2.0, max_volume=2.0)
    with pytest.raises(ValueError, match="min_overlap"):
        LesionSensitivity(min_overlap=1.5)
