"""Corruptions by severity as a map: a panel per network, a number and a colour per cell."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rogseg.evaluation.corruption_summary import CorruptionValues
from rogseg.evaluation.summary import mean
from rogseg.report.figures.style import COLUMN, INK, PAGE, new_figure, save, styled
from rogseg.report.palette import ink_on

__all__ = ["plot_corruption_map"]


def plot_corruption_map(
    networks: Mapping[str, CorruptionValues], stem: Path, *, measure: str = "mean Dice"
) -> tuple[Path, Path]:
    """A row per corruption, the hardest on the first network first; the first column is clean. All over the same cases.

    The colours are matplotlib's cividis, which colour-blind readers see as others do and grey print keeps in order.

    Args:
        networks: values by the name of the network.
        stem: path without suffix.
        measure: what the numbers are.
    """
    networks = {name: values.of_whole_cases for name, values in networks.items()}
    first = next(iter(networks.values()))
    names = sorted(
        dict.fromkeys(name for values in networks.values() for name in values.names),
        key=lambda name: mean(mean(by_case.values()) for (other, _), by_case in first.under.items() if other == name),
    )
    severities = sorted({severity for values in networks.values() for _, severity in values.under})
    with styled():
        width = max(COLUMN, min(PAGE, 1.2 + 2.1 * len(networks)))
        figure = new_figure(width, 0.9 + 0.19 * len(names))
        panels = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
        for axes, (network, values) in zip(panels, networks.items(), strict=True):
            table = _table(values, names, severities)
            axes.imshow(np.ma.masked_invalid(table), cmap="cividis", vmin=0, vmax=1, aspect="auto")
            for row, column in np.ndindex(*table.shape):
                value = table[row, column]
                text = "-" if np.isnan(value) else f"{value:.2f}"
                shade = INK if np.isnan(value) else ink_on(float(value))
                axes.text(column, row, text, ha="center", va="center", color=shade, fontsize=6)
            axes.axvline(0.5, color="white", linewidth=2)
            axes.set_xticks(range(1 + len(severities)), ["clean", *(f"{severity:g}" for severity in severities)])
            axes.set_yticks(range(len(names)), names)
            axes.set(xlabel=f"severity ({measure})" if len(networks) > 1 else "severity")
            axes.set_title(network if len(networks) > 1 else f"{measure}, {network}", fontweight="normal", fontsize=7.5)
            axes.grid(visible=False)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
        return save(figure, stem)


def _table(values: CorruptionValues, names: list[str], severities: list[float]) -> NDArray[np.float64]:
    rows = [
        [
            mean(values.clean.values()),
            *(mean(values.under.get((name, severity), {}).values()) for severity in severities),
        ]
        for name in names
    ]
    return np.array(rows, dtype=np.float64)
