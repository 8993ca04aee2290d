import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import read_raw_task
from tools import make_phantom


def load(path: Path) -> NDArray[Any]:
    return np.asarray(nibabel.load(path).dataobj)


def digests(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*.nii.gz"))
    }


SMALL = PhantomTask(shape=(32, 32, 24), num_training=2, num_test=1, seed=3)


def test_same_seed_gives_the_same_files_and_another_seed_others(tmp_path: Path) -> None:
    first = digests(write_phantom_task(tmp_path / "a", SMALL))
    assert first == digests(write_phantom_task(tmp_path / "b", SMALL))
    other = digests(write_phantom_task(tmp_path / "c", dataclasses.replace(SMALL, seed=4)))
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first)


def test_more_cases_leave_the_first_ones_as_they_were(tmp_path: Path) -> None:
    few = digests(write_phantom_task(tmp_path / "a", SMALL))
    more = digests(write_phantom_task(tmp_path / "b", dataclasses.replace(SMALL, num_training=3)))
    assert more["imagesTr/phantom_001.nii.gz"] == few["imagesTr/phantom_001.nii.gz"]
    assert more["imagesTr/phantom_002.nii.gz"] == few["imagesTs/phantom_002.nii.gz"]


def test_ct_has_hounsfield_units_and_every_label_in_every_case(tmp_path: Path) -> None:
    task = read_raw_task(write_phantom_task(tmp_path / "t", SMALL))
    assert task.modalities == ("CT",)
    assert task.labels == {0: "background", 1: "organ", 2: "lesion"}
    assert len(task.test) == 1
    for case in task.training:
        assert case.label is not None
        image, label = load(case.images[0]), load(case.label)
        assert image.shape == label.shape == (32, 32, 24)
        assert image.dtype == np.int16
        assert set(np.unique(label)) == {0, 1, 2}
        assert image[0, 0].mean() < -900  # air in the corner
        assert 80 < image[label == 1].mean() < 130
        assert 35 < image[label == 2].mean() < 85
        assert 10 < image[label == 1].std() < 60
        spacing = nibabel.load(case.images[0]).header.get_zooms()
        assert spacing == pytest.approx((0.8, 0.8, 2.5), rel=0.1)


def test_intensity_alone_does_not_tell_the_organ(tmp_path: Path) -> None:
    task = read_raw_task(write_phantom_task(tmp_path / "t", dataclasses.replace(SMALL, shape=(64, 64, 32))))
    for case in task.training:
        assert case.label is not None
        image, label = load(case.images[0]).astype(float), load(case.label)
        best = 0.0
        for low in range(40, 120, 5):
            for high in range(120, 220, 20):
                guess = (image > low) & (image < high)
                best = max(best, 2 * (guess & (label == 1)).sum() / (guess.sum() + (label == 1).sum()))
        assert 0.2 < best < 0.85


def test_mr_has_two_anisotropic_channels_and_scanner_units_that_differ(tmp_path: Path) -> None:
    task = read_raw_task(write_phantom_task(tmp_path / "t", PhantomTask(kind="mr", shape=(32, 32, 24), num_training=3)))
    assert task.modalities == ("T1", "T2")
    maxima = []
    for case in task.training:
        loaded = nibabel.load(case.images[0])
        image = np.asarray(loaded.dataobj)
        assert image.shape == (32, 32, 24, 2)
        assert image.min() >= 0
        zooms = loaded.header.get_zooms()
        assert max(zooms[:3]) / min(zooms[:3]) > 3
        maxima.append(int(image.max()))
    assert max(maxima) > 1.2 * min(maxima)


def test_bias_field_shades_the_same_tissue_across_the_volume(tmp_path: Path) -> None:
    task = read_raw_task(write_phantom_task(tmp_path / "t", PhantomTask(kind="mr", shape=(64, 64, 24), num_training=1)))
    image = load(task.training[0].images[0])[..., 0].astype(float)
    # Means of blocks in the middle of the body, mostly soft tissue: far more apart than noise can make them.
    blocks = image[16:48, 24:48].reshape(4, 8, 3, 8, 3, 8).mean(axis=(1, 3, 5))
    assert blocks.std() / blocks.mean() > 0.05


def test_unusual_channels_labels_and_spacing(tmp_path: Path) -> None:
    wanted = PhantomTask(
        kind="mr",
        shape=(48, 40, 32),
        spacing=(0.7, 1.3, 2.9),
        modalities=("T2", "ADC", "DCE"),
        label_values=(7, 1, 5, 2),
        num_training=4,
        spacing_jitter=0,
    )
    task = read_raw_task(write_phantom_task(tmp_path / "t", wanted))
    assert task.modalities == ("T2", "ADC", "DCE")
    assert task.labels == {0: "background", 1: "lesion", 2: "organ 3", 5: "organ 2", 7: "organ"}
    for case in task.training:
        assert case.label is not None
        assert load(case.images[0]).shape == (48, 40, 32, 3)
        counts = dict(zip(*np.unique(load(case.label), return_counts=True), strict=True))
        assert set(counts) == {0, 1, 2, 5, 7}
        assert min(counts.values()) >= 20
        assert nibabel.load(case.label).header.get_zooms() == pytest.approx((0.7, 1.3, 2.9))


def test_smallest_size_and_ten_labels_still_hold_every_class(tmp_path: Path) -> None:
    task = PhantomTask(shape=(24, 24, 24), label_values=tuple(range(1, 11)), num_training=3, num_test=0)
    for case in read_raw_task(write_phantom_task(tmp_path / "t", task)).training:
        assert case.label is not None
        assert set(np.unique(load(case.label))) == set(range(11))


def test_same_task_is_left_alone_and_another_is_refused(tmp_path: Path) -> None:
    directory = write_phantom_task(tmp_path / "t", SMALL)
    before = (directory / "dataset.json").stat().st_mtime_ns
    assert write_phantom_task(directory, SMALL) == directory
    assert (directory / "dataset.json").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match="holds something else"):
        write_phantom_task(directory, dataclasses.replace(SMALL, seed=9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "pet"}, "kind"),
        ({"shape": (8, 32, 32)}, "at least 24"),
        ({"spacing": (1.0, 0.0, 1.0)}, "spacing"),
        ({"label_values": (1, 1)}, "distinct"),
        ({"label_values": (0, 1)}, "from 1 to 255"),
        ({"modalities": ()}, "1 to 64 channels"),
        ({"num_training": 0, "num_test": 0}, "a case"),
    ],
)
def test_impossible_wishes_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PhantomTask(), **change)


def test_tool_writes_what_it_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "t"
    words = f"{out} --kind mr --shape 24 24 24 --channels 3 --labels 4 9 --training 1 --test 1 --seed 5"
    assert make_phantom.main(words.split()) == 0
    task = read_raw_task(out)
    assert task.modalities == ("T1", "T2", "FLAIR")
    assert sorted(task.labels) == [0, 4, 9]
    assert make_phantom.main([str(out)]) == 2
    assert "holds something else" in capsys.readouterr().err
