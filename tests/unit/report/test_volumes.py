import base64
import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest

from rogseg.report import viewer_data
from rogseg.report.viewer_data import embed, viewer_volume
from rogseg.report.volumes import SavedVolume
from tests.unit.report.synthetic import saved_volume


def test_a_volume_goes_to_a_file_and_back(tmp_path: Path) -> None:
    volume = saved_volume()
    volume.save(tmp_path / "deep" / "case_1.5.npz")
    back = SavedVolume.load(tmp_path / "deep" / "case_1.5.npz")
    for field in dataclasses.fields(SavedVolume):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(volume, field.name))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["case_1.5.npz"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "case.npz"
    saved_volume().save(path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"case\.npz: no usable file of arrays"):
        SavedVolume.load(path)
    np.savez(path, image=np.zeros(3))
    with pytest.raises(ValueError, match="not a saved volume"):
        SavedVolume.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": "RRS"}, "axes"),
        ({"clean": np.zeros((2, 2, 2), np.uint8)}, "clean has shape"),
        ({"upper": (-160.0,)}, "empty"),
        ({"channels": ("a", "b")}, "2 channels"),
        ({"perturbation": np.full((1, 40, 50, 30), np.nan, np.float32)}, "finite"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(saved_volume(), **change)  # type: ignore[arg-type]


def test_voxels_keep_their_levels_and_x_varies_fastest() -> None:
    volume = saved_volume()
    viewer = viewer_volume(volume)
    data = np.frombuffer(gzip.decompress(base64.b64decode(viewer.data)), np.uint8)
    size = volume.target.size
    grey = data[:size].reshape(volume.target.shape[::-1]).T
    np.testing.assert_array_equal(grey, np.rint((volume.image[0] + 160) / 400 * 255))
    moved = data[size : 2 * size].view(np.int8).reshape(volume.target.shape[::-1]).T * viewer.about["step"][0]
    assert np.abs(moved - volume.perturbation[0]).max() <= viewer.about["step"][0] / 2 + 1e-6
    for index, labels in enumerate((volume.target, volume.clean, volume.attacked), 2):
        np.testing.assert_array_equal(data[index * size : (index + 1) * size].reshape(labels.shape[::-1]).T, labels)
    assert len(data) == 5 * size
    assert viewer.picture.startswith("data:image/png;base64,")
    x, y, z = viewer.about["start"]
    assert volume.target[x, y, z] > 0


def test_flat_perturbations_are_zero_and_not_nan() -> None:
    volume = saved_volume()
    flat = dataclasses.replace(volume, perturbation=np.zeros_like(volume.perturbation))
    assert viewer_volume(flat).about["step"] == [1.0]


def test_a_page_carries_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = [saved_volume(f"case_{index}") for index in range(4)]
    whole = len(viewer_volume(volumes[0]).data)
    made, note = embed(volumes)
    assert (len(made), note) == (4, "")
    # Room for two whole ones: what does not fit is named.
    monkeypatch.setattr(viewer_data, "BUDGET", int(whole * 2.2))
    monkeypatch.setattr(viewer_data, "LARGE", whole * 2)
    made, note = embed(volumes)
    assert len(made) == 2
    assert "2 saved volumes did not fit" in note
    assert "case_3" in note
    # Those above the limit for one are cut to the labels, where all of them still stand.
    monkeypatch.setattr(viewer_data, "LARGE", whole // 2)
    made, note = embed(volumes[:1])
    assert "cut to the labels" in note
    shape = made[0].about["shape"]
    assert np.prod(shape) < volumes[0].target.size
    data = np.frombuffer(gzip.decompress(base64.b64decode(made[0].data)), np.uint8).reshape(5, -1)
    assert [np.count_nonzero(part) for part in data[2:]] == [
        np.count_nonzero(labels) for labels in (volumes[0].target, volumes[0].clean, volumes[0].attacked)
    ]
