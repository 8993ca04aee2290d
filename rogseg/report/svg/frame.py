"""The frame of a chart: margins, scales, grid lines and labels, the same for every chart of a page.

Colours are left to the page's style sheet by class names, so that a chart follows light and dark. Text is never
smaller than 11 pixels where the chart is shown at its own size.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from xml.etree import ElementTree

__all__ = ["Frame", "Size", "add", "dodged", "log_steps", "number", "text_of"]

Element = ElementTree.Element
STEPS = ((1,), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9))
FEWEST_TICKS = 3


@dataclasses.dataclass(frozen=True)
class Size:
    """Width and height [CSS pixels], and the class that the style sheet shows it by: ``wide`` or ``narrow``."""

    width: int
    height: int
    name: str

    @property
    def is_narrow(self) -> bool:
        """Whether it is for a small screen."""
        return self.name == "narrow"


def number(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def add(parent: Element, tag: str, **attributes: object) -> Element:
    """Append an element; ``class_`` becomes ``class``, underscores become hyphens, floats become short."""
    texts = {
        key.rstrip("_").replace("_", "-"): number(value) if isinstance(value, float) else str(value)
        for key, value in attributes.items()
    }
    return ElementTree.SubElement(parent, tag, texts)


def text_of(root: Element) -> str:
    """The element as text, for HTML."""
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


class Frame:
    """An empty chart with its axes.

    Args:
        size: of the whole chart.
        x_range: smallest and largest x.
        y_range: smallest and largest y.
        x_ticks: positions and labels.
        y_ticks: positions and labels.
        x_label: of the axis.
        y_label: above the axis, upright, as it is read.
        title: for those who do not see the chart.
    """

    def __init__(
        self,
        size: Size,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
        x_label: str,
        y_label: str,
        title: str,
        *,
        left: int = 38,
    ) -> None:
        self.size, self.x_range, self.y_range = size, x_range, y_range
        self.left, self.right, self.top, self.bottom = left, 14, 26, 44
        self.root = Element(
            "svg",
            {
                "class": f"chart {size.name}",
                "viewBox": f"0 0 {size.width} {size.height}",
                "width": str(size.width),
                "height": str(size.height),
                "role": "img",
                "aria-label": title,
                "tabindex": "0",
            },
        )
        grid = add(self.root, "g", class_="grid")
        end = float(size.width - self.right)
        for value, label in y_ticks:
            add(grid, "line", x1=float(self.left), x2=end, y1=self.y(value), y2=self.y(value))
            add(grid, "text", x=self.left - 8.0, y=self.y(value) + 4, text_anchor="end").text = label
        base = float(size.height - self.bottom)
        for value, label in x_ticks:
            add(grid, "line", class_="tick", x1=self.x(value), x2=self.x(value), y1=base, y2=base + 4)
            add(grid, "text", x=self.x(value), y=base + 18, text_anchor="middle").text = label
        add(grid, "line", class_="axis", x1=float(self.left), x2=end, y1=base, y2=base)
        add(self.root, "text", class_="label", x=0.0, y=12.0).text = y_label
        add(self.root, "text", class_="label", x=end, y=size.height - 6.0, text_anchor="end").text = x_label

    def x(self, value: float) -> float:
        """Where a value lies from the left [pixels]."""
        return self._place(value, self.x_range, self.left, self.size.width - self.right)

    def y(self, value: float) -> float:
        """Where a value lies from the top [pixels]."""
        return self._place(value, self.y_range, self.size.height - self.bottom, self.top)

    @staticmethod
    def _place(value: float, span: tuple[float, float], start: float, stop: float) -> float:
        low, high = span
        return start + (stop - start) * ((value - low) / (high - low) if high > low else 0.5)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """A line through data points, as the attribute ``d``."""
        return "M" + "L".join(f"{number(self.x(x))} {number(self.y(y))}" for x, y in points)


def log_steps(low: float, high: float) -> list[float]:
    """Round numbers between two powers of ten, for a logarithmic axis: the coarsest choice that has three of them.

    Args:
        low: logarithm of the smallest value.
        high: logarithm of the largest.
    """
    decades = range(math.floor(low), math.ceil(high) + 1)
    found: list[float] = []
    for steps in STEPS:
        found = [round(step * 10.0**decade, 12) for decade in decades for step in steps]
        found = [value for value in found if low <= math.log10(value) <= high]
        if len(found) >= FEWEST_TICKS:
            break
    return found


def dodged(
    values: Sequence[float], place: Callable[[float], float], *, radius: float = 2.6, widest: float = 14.0
) -> list[float]:
    """Sideways shifts [pixels] that keep dots of one column from covering each other, in the order of the values.

    Args:
        values: of one column.
        place: from a value to pixels.
        radius: of a dot [pixels].
        widest: shift that is never passed; beyond it dots overlap.
    """
    shifts = [0.0] * len(values)
    placed: list[tuple[float, float]] = []
    for index in sorted(range(len(values)), key=lambda i: values[i]):
        y, step = place(values[index]), 0
        while True:
            # 0, 1, -1, 2, -2, ... steps to the side
            side = (step + 1) // 2 * (1 if step % 2 else -1) * radius * 1.7
            clear = all((side - x) ** 2 + (y - other) ** 2 >= (2 * radius) ** 2 * 0.8 for x, other in placed)
            if clear or abs(side) > widest:
                break
            step += 1
        shifts[index] = max(-widest, min(widest, side))
        placed.append((shifts[index], y))
    return shifts
