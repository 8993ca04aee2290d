"""Figures of a robustness report: Dice over epsilon, and what an attack did to one slice."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rogseg.evaluation.epsilon_label import OF_A_WIDTH, epsilon_unit_label, norm_of_threat
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.saved_figure import save_figure
from rogseg.evaluation.summary import mean, summarise_all

__all__ = ["plot_attacked_slice", "plot_dice_over_strength"]

Volume = npt.NDArray[np.float32] | npt.NDArray[np.uint8]


def plot_dice_over_strength(folder: RecordFolder, path: str | Path) -> None:
    """Mean Dice of each condition over epsilon, in the unit of the threat, or severity; from the clean mean at 0.

    A curve is over the cases that all of its points have; where these are not all, its name says how many.
    """
    clean, *rows = summarise_all(folder)
    threat = folder.identity.threat
    scale, label = 1.0, "severity"
    if threat is not None:
        scale = 255.0 if threat.unit in OF_A_WIDTH else 1.0
        unit = folder.identity.raw_unit if threat.unit == "raw" else epsilon_unit_label(threat.unit)
        norm = norm_of_threat(threat.type)
        label = f"epsilon [{unit}]" if norm == "Linf" else f"epsilon, {norm} [{unit}]"
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot()
    for condition in dict.fromkeys(row.condition for row in rows):
        points = [row for row in (clean, *rows) if row.condition == condition or (row is clean and clean.dice)]
        shared = set.intersection(*(set(point.dice) for point in points))
        if not shared:
            continue
        means = [(p.strength * scale, mean(p.dice[case_id] for case_id in sorted(shared))) for p in points]
        over = f", {len(shared)} of {len(clean.dice)} cases" if len(shared) < len(clean.dice) else ""
        axes.plot(*zip(*means, strict=True), marker="o", markersize=4, label=f"{condition}{over}")
    axes.set(xlabel=label, ylabel="mean Dice", ylim=(0, 1))
    axes.grid(alpha=0.3)
    if axes.get_lines():
        axes.legend(fontsize="small")
    save_figure(figure, Path(path), dpi=150)


def plot_attacked_slice(
    image: Volume,
    perturbation: Volume,
    targets: Volume,
    clean_prediction: Volume,
    adversarial_prediction: Volume,
    path: str | Path,
    title: str = "",
) -> None:
    """The slice of the third axis with most foreground: image, perturbation, target and both predictions.

    Args:
        image: (D, H, W) one channel [network units].
        perturbation: (D, H, W) of the same channel [network units].
        targets: (D, H, W) class indices; so are both predictions.
        clean_prediction: prediction on the clean volume.
        adversarial_prediction: prediction on the adversarial volume.
        path: where the PNG goes.
        title: above the panels.
    """
    index = int(np.argmax(np.count_nonzero(targets, axis=(0, 1))))
    num_classes = int(max(targets.max(), clean_prediction.max(), adversarial_prediction.max(), 1))
    limit = float(np.abs(perturbation).max()) or 1.0
    window = float(image.min()), float(image.max())
    figure = Figure(figsize=(13, 3), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, 5))
    panels[0].imshow(image[:, :, index].T, cmap="gray", vmin=window[0], vmax=window[1])
    panels[1].imshow(perturbation[:, :, index].T, cmap="RdBu", vmin=-limit, vmax=limit)
    for axes, labels in zip(panels[2:], (targets, clean_prediction, adversarial_prediction), strict=True):
        axes.imshow(image[:, :, index].T, cmap="gray", vmin=window[0], vmax=window[1])
        overlay = np.ma.masked_equal(labels[:, :, index].T, 0)
        axes.imshow(overlay, cmap="tab10", vmin=1, vmax=max(num_classes, 10), alpha=0.6, interpolation="nearest")
    scale = f"perturbation [±{limit:.2g} network units]"
    names = (f"image, slice {index}", scale, "target", "prediction, clean", "prediction, attacked")
    for axes, name in zip(panels, names, strict=True):
        axes.set_title(name, fontsize="small")
        axes.set_axis_off()
    if title:
        figure.suptitle(title, fontsize="medium")
    save_figure(figure, Path(path), dpi=120)
