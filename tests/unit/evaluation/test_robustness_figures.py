from pathlib import Path

import numpy as np
from matplotlib.image import imread

from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.robustness_figures import plot_attacked_slice, plot_dice_over_strength
from tests.identities import IDENTITY, dice_record


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
