"""What an attack did to a slice: image, attacked image, perturbation, target, both predictions.

Source: the kind of figure 5 of Daza et al. 2021, with the perturbation and its scale added.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from numpy.typing import NDArray

from rogseg.report.figures.style import PAGE, SOFT, new_figure, save, styled
from rogseg.report.palette import CLASS_COLOURS
from rogseg.report.volumes import SavedVolume

__all__ = ["plot_attacked_slices"]

TITLES = ("image", "attacked image", "perturbation", "target", "prediction, clean", "prediction, attacked")


def plot_attacked_slices(
    volumes: Sequence[SavedVolume], class_names: Sequence[str], stem: Path, *, channel: int = 0
) -> tuple[Path, Path]:
    """A row per volume: the axial slice with most of the target, shown as a radiologist looks at it.

    Images share the window of the intensity box; the perturbation has a diverging map and its own colour bar.
    """
    with styled():
        shapes = [_slice(volume, volume.target).shape for volume in volumes]
        heights = [PAGE / 6.3 * shape[0] / shape[1] for shape in shapes]
        figure = new_figure(PAGE, sum(heights) + 0.2 * len(volumes) + 0.45)
        grid = figure.subplots(len(volumes), 6, squeeze=False, gridspec_kw={"height_ratios": heights})
        units = {volume.unit for volume in volumes}
        for axes, title in zip(grid[0], TITLES, strict=True):
            unit = f" [{units.copy().pop()}]" if title == "perturbation" and len(units) == 1 and "" not in units else ""
            axes.set_title(title + unit, fontsize=7, fontweight="normal", loc="center", pad=3)
        for row, volume in zip(grid, volumes, strict=True):
            shown = _draw_row(row, volume, channel)
            limit = float(shown.get_clim()[1])
            # Below the image and as a part of it, so that all images keep one size.
            bar = figure.colorbar(shown, cax=row[2].inset_axes((0.06, -0.075, 0.88, 0.045)), orientation="horizontal")
            bar.set_ticks([-limit, 0, limit], labels=[f"{value:.3g}" for value in (-limit, 0, limit)])
            bar.ax.tick_params(labelsize=6, length=1.5, pad=1)
            bar.outline.set_linewidth(0.4)
            row[0].set_ylabel(f"{volume.system}\n{volume.case_id}\n{volume.attack}, {volume.label}", fontsize=6.5)
        patches = [
            Patch(color=CLASS_COLOURS[index % len(CLASS_COLOURS)], label=name) for index, name in enumerate(class_names)
        ]
        figure.legend(handles=patches, loc="outside lower center", ncols=min(6, len(patches)))
        return save(figure, stem)


def _draw_row(row: Sequence[Axes], volume: SavedVolume, channel: int) -> AxesImage:
    clean = _slice(volume, volume.image[channel])
    moved = _slice(volume, volume.perturbation[channel])
    window: dict[str, Any] = {"cmap": "gray", "vmin": volume.lower[channel], "vmax": volume.upper[channel]}
    limit = float(np.abs(volume.perturbation[channel]).max()) or 1.0
    axis_x, axis_y = _axes_of(volume)
    aspect = volume.spacing[axis_y] / volume.spacing[axis_x]
    row[0].imshow(clean, aspect=aspect, **window)
    row[1].imshow(clean + moved, aspect=aspect, **window)
    shown = row[2].imshow(moved, aspect=aspect, cmap="PuOr_r", vmin=-limit, vmax=limit)
    colours = ListedColormap(CLASS_COLOURS)
    for axes, labels in zip(row[3:], (volume.target, volume.clean, volume.attacked), strict=True):
        axes.imshow(clean, aspect=aspect, **window)
        part = _slice(volume, labels)
        overlay = np.ma.masked_equal(part, 0) - 1
        axes.imshow(overlay % len(CLASS_COLOURS), aspect=aspect, cmap=colours, vmin=-0.5, vmax=5.5, alpha=0.62)
    for axes in row:
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.yaxis.label.set_color(SOFT)
    return shown


def _axes_of(volume: SavedVolume) -> tuple[int, int]:
    """The stored axes along right-left and anterior-posterior."""
    letters = volume.axes
    return next(i for i, c in enumerate(letters) if c in "RL"), next(i for i, c in enumerate(letters) if c in "AP")


def _slice(volume: SavedVolume, array: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
    """(rows, columns): anterior on top, the patient's right on the left."""
    x, y = _axes_of(volume)
    z = 3 - x - y
    index = int(np.argmax(np.count_nonzero(volume.target, axis=(x, y))))
    part = np.moveaxis(array, (y, x, z), (0, 1, 2))[:, :, index].astype(np.float32)
    # Rows go down, so what points anterior or right is turned.
    part = part[::-1] if volume.axes[y] == "A" else part
    return part[:, ::-1] if volume.axes[x] == "R" else part
