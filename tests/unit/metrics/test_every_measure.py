"""What holds of every registered measure, on masks whose values are known; a measure without a row fails."""

import dataclasses
import math

import numpy as np
import pytest

from rogseg.metrics import Measure, build_measures, measure_classes
from rogseg.metrics.base import Mask, Spacing
from rogseg.registry import METRICS

SHAPE = (24, 20, 16)
SPACING: Spacing = (1.0, 2.0, 0.5)
DIAGONAL = math.hypot(24 * 1.0, 20 * 2.0, 16 * 0.5)
VOXEL_ML = 1.0 * 2.0 * 0.5 / 1000


def box(first: int = 4, last: int = 12) -> Mask:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[first:last, 3:12, 4:13] = True
    return mask


BOX_ML = 8 * 9 * 9 * VOXEL_ML
EMPTY = np.zeros(SHAPE, dtype=bool)
VOXEL = EMPTY.copy()
VOXEL[0, 0, 0] = True


@dataclasses.dataclass(frozen=True)
class Expected:
    """Options of a measure and its value on each pair."""

    options: dict[str, float]
    perfect: float | None
    both_empty: float | None
    false_voxel: float | None  # the target is empty, the prediction one voxel
    missed_voxel: float | None  # the other way round
    missed: float | None  # the target is the box, the prediction empty
    moved: float | None  # the box is moved by two voxels of the first axis, 2 mm


EXPECTED = {
    "Dice": Expected({}, 1.0, None, 0.0, 0.0, 0.0, 0.75),
    "NSD": Expected({"tolerance": 2.1}, 1.0, None, 0.0, 0.0, 0.0, 1.0),
    "HD95": Expected({}, 0.0, None, DIAGONAL, DIAGONAL, DIAGONAL, 2.0),
    "VolumeError": Expected({}, 0.0, None, VOXEL_ML, -VOXEL_ML, -BOX_ML, 0.0),
    "FalseVolume": Expected({}, None, 0.0, VOXEL_ML, None, None, None),
    "LesionSensitivity": Expected({}, 1.0, None, None, 0.0, 0.0, 1.0),
    "LesionFalsePositives": Expected({}, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
}
PAIRS = {
    "perfect": (box(), box()),
    "both_empty": (EMPTY, EMPTY),
    "false_voxel": (VOXEL, EMPTY),
    "missed_voxel": (EMPTY, VOXEL),
    "missed": (EMPTY, box()),
    "moved": (box(6, 14), box()),
}
# A measure that a test of a user's package registers lies elsewhere.
OURS = sorted(name for name, kind in METRICS.module_dict.items() if kind.__module__.startswith("rogseg."))


def test_every_measure_has_a_row() -> None:
    assert sorted(EXPECTED) == OURS, "give the measure a row in EXPECTED"


def built(name: str) -> Measure:
    measure: Measure = METRICS.build({"type": name, **EXPECTED[name].options})
    return measure


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("pair", PAIRS)
def test_known_values(name: str, pair: str) -> None:
    value, expected = built(name)(*PAIRS[pair], SPACING), getattr(EXPECTED[name], pair)
    assert value is None if expected is None else value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_masks_are_left_as_they_are(name: str) -> None:
    prediction, target = box(6, 14), box()
    built(name)(prediction, target, SPACING)
    assert (prediction == box(6, 14)).all()
    assert (target == box()).all()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_measure_says_what_it_is(name: str) -> None:
    measure = built(name)
    said = measure.describe()
    assert said["type"] == name
    assert said.items() >= EXPECTED[name].options.items()
    assert measure.better in ("higher", "lower", "zero")
    words = f"signed {measure.name}" if measure.better == "zero" else measure.name
    assert measure.heading == (f"{words} [{measure.unit}]" if measure.unit else words)
    best = EXPECTED[name].perfect
    worse = EXPECTED[name].missed
    lower, upper = measure.bounds
    for value in (best, worse):
        assert value is None or ((lower is None or value >= lower) and (upper is None or value <= upper))
    if best is not None and worse is not None and name != "LesionFalsePositives":
        assert best > worse if measure.better == "higher" else abs(best) < abs(worse)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_spacing_counts(name: str) -> None:
    """The same move is twice as far where voxels are twice as long; what is without unit stays."""
    measure, pair = built(name), (box(6, 15), box())
    near, far = measure(*pair, SPACING), measure(*pair, (2.0, 4.0, 1.0))
    scale = {"mm": 2.0, "ml": 8.0}.get(measure.unit)
    if near is not None and scale is not None:
        assert far == pytest.approx(scale * near)
        assert near != 0


def test_the_measures_of_a_config() -> None:
    first, second = build_measures([{"type": "Dice"}, {"type": "NSD", "tolerance": 2.5}])
    assert (first.name, second.name) == ("Dice", "NSD 2.5 mm")
    with pytest.raises(ValueError, match="'Dice' stands there twice"):
        build_measures([{"type": "Dice"}, {"type": "Dice"}])
    with pytest.raises(ValueError, match="none is chosen"):
        build_measures([])
    with pytest.raises(ValueError, match="tolerance"):
        build_measures([{"type": "NSD", "tolerance": 0.0}])


def test_a_case_is_measured_class_by_class_and_a_region_as_one() -> None:
    target = np.zeros(SHAPE, dtype=np.uint16)
    target[2:6, 2:6, 2:6] = 1
    target[2:6, 6:8, 2:6] = 40000
    prediction = target.copy()
    prediction[5, 2:6, 2:6] = 0
    values = measure_classes(
        build_measures([{"type": "Dice"}, {"type": "HD95"}]),
        prediction,
        target,
        SPACING,
        [(1,), (40000,), (1, 40000), (7,)],
    )
    assert values["Dice"][:3] == pytest.approx((2 * 48 / 112, 1.0, 2 * 80 / 176))
    assert values["Dice"][3] is None
    assert values["HD95"][:2] == pytest.approx((1.0, 0.0))
    with pytest.raises(ValueError, match="one shape"):
        measure_classes(build_measures([{"type": "Dice"}]), prediction[1:], target, SPACING, [(1,)])


def test_a_measure_that_is_no_dataclass_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(Measure):
        name, better, bounds = "plain", "higher", (0.0, 1.0)

        def __call__(self, prediction: Mask, target: Mask, spacing: Spacing) -> float | None:
            return 0.0

    monkeypatch.setitem(METRICS.module_dict, "Plain", Plain)
    with pytest.raises(ValueError, match="Plain is no dataclass"):
        build_measures([{"type": "Plain"}])
