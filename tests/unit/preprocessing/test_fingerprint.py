import json

import numpy as np
import pytest

from rogseg.preprocessing import Volume, compute_fingerprint
from rogseg.preprocessing.measurement import CaseMeasurement, measure_case
from rogseg.preprocessing.rescaling import WHOLE_RANGE
from tests.unit.preprocessing.raw_files import noise


def _case(shape: tuple[int, int, int], spacing: float, seed: int) -> tuple[Volume, np.ndarray]:
    volume = Volume(noise((1, *shape), seed), np.diag([1.0, 1.0, spacing, 1.0]))
    labels = np.zeros(shape, np.uint8)
    labels[2:8, 2:6, 1:5] = 1
    labels[3:5, 3:5, 2:4] = 2
    return volume, labels


def test_sizes_are_taken_at_the_median_spacing() -> None:
    grids = [((20, 20, 10), 2.0), ((30, 22, 40), 1.0), ((24, 24, 400), 2.0)]
    cases = [measure_case(*_case(shape, spacing, 0), (None,), "case", "") for shape, spacing in grids]
    fingerprint = compute_fingerprint(cases, ["CT"], ["organ", "tumour"])
    assert fingerprint.median_spacing == (1.0, 1.0, 2.0)
    assert fingerprint.median_shape == (24.0, 22.0, 20.0)  # third axes at 2 mm: 10, 20, 400
    organ, tumour = fingerprint.classes
    assert np.allclose(organ.box, (6, 4, (4 + 2 + 4) / 3))
    assert np.isclose(organ.volume, (96 - 8) * (1 + 0.5 + 1) / 3)
    assert np.isclose(tumour.volume, 8 * 2.5 / 3)
    assert fingerprint.smallest_class is tumour
    assert fingerprint.biggest_class is organ


def test_the_third_axis_is_capped() -> None:
    fingerprint = compute_fingerprint(
        [measure_case(*_case((20, 20, 400), 1.0, 0), (None,), "case", "")], ["CT"], ["organ", "tumour"]
    )
    assert fingerprint.median_shape == (20.0, 20.0, 160.0)


def test_pooled_percentiles_weigh_cases_by_their_foreground() -> None:
    cases, pooled = [], []
    for seed, shape in enumerate([(60, 60, 60), (20, 20, 20), (40, 30, 20)]):
        volume = Volume(noise((1, *shape), seed) * (seed + 1), np.eye(4))
        labels = np.ones(shape, np.uint8)
        labels[:2] = 0
        pooled.append(volume.array[0][labels > 0])
        cases.append(measure_case(volume, labels, (None,), f"case_{seed}", ""))
    values = np.concatenate(pooled).astype(np.float64)
    (measured,) = compute_fingerprint(cases, ["CT"], ["organ"]).intensities
    assert np.allclose([measured.lower, measured.upper], np.percentile(values, [0.5, 99.5]), rtol=0.01)
    assert np.allclose([measured.mean, measured.std], [values.mean(), values.std()], rtol=1e-6)


def test_mr_is_measured_in_fractions_of_its_range() -> None:
    volume, labels = _case((20, 20, 10), 1.0, 3)
    scaled = Volume(volume.array * 1000 + 5, volume.affine)
    first, second = (
        compute_fingerprint(
            [measure_case(v, labels, (WHOLE_RANGE,), "a", "")], ["MRI"], ["organ", "tumour"]
        ).intensities[0]
        for v in (volume, scaled)
    )
    assert np.allclose([first.lower, first.upper, first.mean], [second.lower, second.upper, second.mean], atol=1e-5)
    assert 0 < first.lower < first.mean < first.upper < 1


def test_a_measurement_survives_json() -> None:
    measurement = measure_case(*_case((20, 20, 10), 1.0, 3), (WHOLE_RANGE,), "a", "digest")
    assert CaseMeasurement.from_json(json.loads(json.dumps(measurement.to_json()))) == measurement


def test_no_foreground_is_an_error() -> None:
    volume, labels = _case((20, 20, 10), 1.0, 3)
    with pytest.raises(ValueError, match="label holds foreground"):
        compute_fingerprint([measure_case(volume, labels * 0, (WHOLE_RANGE,), "a", "")], ["MRI"], ["organ", "tumour"])
