"""Single attacks at one epsilon as bars, by system.

Source: the quantity of table 1 of Daza et al. 2021.
"""

from collections.abc import Mapping
from pathlib import Path

from rogseg.report.estimates import Estimate
from rogseg.report.figures.style import COLUMN, INK, colour, legend_above, new_figure, save, styled

__all__ = ["plot_single_attacks"]

HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\")


def plot_single_attacks(
    systems: Mapping[str, Mapping[str, Estimate]], label: str, stem: Path, *, measure: str = "mean Dice"
) -> tuple[Path, Path]:
    """A group of bars per condition, a bar per system, with intervals and numbers.

    Bars of a system are all over the same cases. A condition that met fewer, such as a late member of a cascade, has
    their number in place of a bar: beside the others its mean would show which cases it met, not how strong it is.

    Args:
        systems: by system, the estimate under each condition; the order of the first is kept.
        label: the epsilon as it is written.
        stem: path without suffix.
        measure: name of the axis.
    """
    names = list(dict.fromkeys(name for of_one in systems.values() for name in of_one))
    thickness = 0.8 / len(systems)
    with styled():
        figure = new_figure(COLUMN, 0.65 + 0.19 * len(names) * max(1.4, len(systems)))
        axes = figure.add_subplot()
        named = set[str]()
        for index, (system, of_one) in enumerate(systems.items()):
            for position, name in enumerate(names):
                estimate = of_one.get(name)
                if estimate is None or estimate.value is None:
                    continue
                y = position + (index - (len(systems) - 1) / 2) * thickness
                most = max(other.cases for other in of_one.values())
                if estimate.cases < most:
                    axes.text(0.015, y, f"met {estimate.cases} of {most} cases", va="center", fontsize=6.5)
                    continue
                hatch = HATCHES[index % len(HATCHES)]
                axes.barh(
                    y, estimate.value, thickness * 0.9, color=colour(index), alpha=0.85, hatch=hatch, edgecolor="white",
                    linewidth=0, label=None if system in named else system,
                )  # fmt: skip
                named.add(system)
                end = estimate.value
                if estimate.lower is not None and estimate.upper is not None:
                    axes.plot([estimate.lower, estimate.upper], [y, y], color=INK, linewidth=0.9)
                    end = max(end, estimate.upper)
                axes.text(end + 0.015, y, f"{estimate.value:.3f}", va="center", fontsize=6.5)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlim=(0, 1.12), xlabel=f"{measure} at {label}")
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        legend_above(figure, axes)
        return save(figure, stem)
