from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.image import imread

from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.robustness_figures import plot_attacked_slice, plot_dice_over_strength
from tests.identities import IDENTITY, cascade, dice_record


def test_figures_are_written_and_not_blank(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "records", IDENTITY)
    folder.add(dice_record("a", "clean", (0.9, 0.8)))
    for epsilon in (2 / 255, 8 / 255, 16 / 255):
        folder.add(dice_record("a", "PGD", (0.9 - 10 * epsilon, 0.5), epsilon))
    plot_dice_over_strength(folder, tmp_path / "curve.png")
    image = np.random.default_rng(0).normal(size=(12, 10, 6)).astype(np.float32)
    label = np.zeros((12, 10, 6), dtype=np.uint8)
    label[3:6, 3:6, 2] = 1
    plot_attacked_slice(image, image * 0.01, label, label, np.zeros_like(label), tmp_path / "slice.png", "case")
    for name in ("curve.png", "slice.png"):
        assert imread(tmp_path / name).std() > 0.05


def test_a_curve_is_over_the_cases_that_all_of_its_points_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, list[float]] = {}
    monkeypatch.setattr(Axes, "plot", lambda _, xs, ys, label, **kwargs: drawn.update({label: list(ys)}))
    plot_dice_over_strength(cascade(tmp_path / "a", {2 / 255: 2, 8 / 255: 9}, num_cases=12), tmp_path / "curve.png")
    assert list(drawn) == ["APGD-CE", "Square, 3 of 12 cases", "worst case"]
    # Cases 9 to 11 at both epsilons.
    assert drawn["Square, 3 of 12 cases"] == pytest.approx([0.9, 0.8 - 2 / 255, 0.8 - 8 / 255])
    drawn.clear()
    plot_dice_over_strength(cascade(tmp_path / "b", {2 / 255: 2, 8 / 255: 4}, num_cases=4), tmp_path / "curve.png")
    assert list(drawn) == ["APGD-CE", "Square, 2 of 4 cases", "worst case"]
