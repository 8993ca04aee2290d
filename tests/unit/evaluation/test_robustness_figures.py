from pathlib import Path

import numpy as np
from matplotlib.image import imread

from rogseg.evaluation.robustness_figures import plot_attacked_slice, plot_dice_over_epsilon
from rogseg.evaluation.robustness_summary import AttackSummary


def test_figures_are_written_and_not_blank(tmp_path: Path) -> None:
    clean = AttackSummary("clean", 0.0, (0.9,), (0.9,), (True,))
    rows = [AttackSummary("PGD", e / 255, (0.9 - e / 20,), (0.5,), (True,)) for e in (2, 8, 16)]
    plot_dice_over_epsilon(clean, rows, tmp_path / "curve.png")
    image = np.random.default_rng(0).normal(size=(12, 10, 6)).astype(np.float32)
    label = np.zeros((12, 10, 6), dtype=np.uint8)
    label[3:6, 3:6, 2] = 1
    plot_attacked_slice(image, image * 0.01, label, label, np.zeros_like(label), tmp_path / "slice.png", "case")
    for name in ("curve.png", "slice.png"):
        assert imread(tmp_path / name).std() > 0.05
