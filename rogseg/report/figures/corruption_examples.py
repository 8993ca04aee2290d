"""What corruptions look like: one slice of a case, a row per corruption and a column per severity."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rogseg.evaluation.saved_figure import save_figure
from rogseg.report.figures.style import new_figure, styled

__all__ = ["plot_corruption_examples"]

Slice = NDArray[np.float32]
PANEL = 0.95
"""[inches]"""


def plot_corruption_examples(
    original: Slice, examples: Mapping[str, Mapping[int, Slice]], path: Path, *, title: str
) -> None:
    """Write a PNG; every panel has the grey values of the original, so that a change of brightness shows.

    Args:
        original: (H, W) [raw units].
        examples: by corruption and severity the same slice [raw units].
        path: of the file.
        title: above it.
    """
    severities = sorted({severity for of_one in examples.values() for severity in of_one})
    low, high = np.percentile(original, (0.5, 99.5))
    with styled():
        figure = new_figure(PANEL * (1 + len(severities)) + 1.3, PANEL * len(examples) + 0.5)
        panels = figure.subplots(len(examples), 1 + len(severities), squeeze=False)
        for row, (name, of_one) in zip(panels, examples.items(), strict=True):
            for axes, severity in zip(row, (0, *severities), strict=True):
                image = original if severity == 0 else of_one.get(severity)
                axes.set(xticks=[], yticks=[])
                axes.grid(visible=False)
                for spine in axes.spines.values():
                    spine.set_visible(False)
                if image is not None:
                    axes.imshow(image.T, cmap="gray", vmin=low, vmax=high, origin="lower")
            row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
        for axes, severity in zip(panels[0], (0, *severities), strict=True):
            axes.set_title("clean" if severity == 0 else str(severity), fontweight="normal", loc="center", fontsize=7)
        figure.suptitle(title, fontsize=7.5)
        save_figure(figure, path, dpi=120, metadata={"Software": None})
