"""The fingerprint of the real hippocampus cases against the published one."""

import json

import numpy as np

from rogseg.preprocessing import compute_fingerprint, read_image, read_label
from rogseg.preprocessing.measurement import measure_case
from rogseg.storage import read_raw_task
from tests.shared_data import shared_path


def test_recomputed_numbers_come_close_to_the_published_ones() -> None:
    task = read_raw_task(shared_path("data/Task04_Hippocampus"))
    facts = json.loads(shared_path("facts/msd_tasks.json").read_text())["Task04_Hippocampus"]["fingerprint"]
    measurements = []
    for case in task.training:
        volume = read_image(case.images, 1)
        assert case.label is not None
        labels = read_label(case.label, case.images[0], volume, (0, 1, 2))
        measurements.append(measure_case(volume, labels, ((0.0, 100.0),), case.case_id, ""))
    fingerprint = compute_fingerprint(measurements, task.modalities, ["Anterior", "Posterior"])
    assert list(fingerprint.median_shape) == facts["median_shape_voxels"]
    assert list(fingerprint.median_spacing) == facts["median_spacing_mm"]
    assert np.rint(fingerprint.smallest_class.box).tolist() == facts["smallest_class_mean_bbox_voxels"]
    assert np.rint(fingerprint.biggest_class.box).tolist() == facts["biggest_class_mean_bbox_voxels"]
    assert round(fingerprint.smallest_class.volume) == facts["smallest_class_mean_volume_voxels"]
    assert round(fingerprint.biggest_class.volume) == facts["biggest_class_mean_volume_voxels"]
    (measured,) = fingerprint.intensities
    published = [
        facts[key][0]
        for key in ("intensity_percentile_00_5", "intensity_percentile_99_5", "intensity_mean", "intensity_std")
    ]
    assert np.allclose([measured.lower, measured.upper, measured.mean, measured.std], published, rtol=0.05)
    assert np.allclose([measured.lower, measured.upper], [0.0595, 0.564], rtol=0.005)
