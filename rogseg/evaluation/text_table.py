"""TextTable: rows of words and numbers for a terminal of any width, and as Markdown; no number is ever cut."""

import dataclasses
import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from rogseg import metrics
from rogseg.evaluation.statistics import Interval

__all__ = ["NOTHING", "SAME", "TextTable", "counted", "heading_of", "number", "short", "short_span", "with_interval"]

NOTHING = "-"
GAP = "  "
SAME = 1.02  # values that differ by less are written as one
_WORD = re.compile(r"\S+")
_WORD_OR_INTERVAL = re.compile(r"\[[^\]]*\]\S*|\S+")


def number(value: float | None, digits: int = 3) -> str:
    """A value in a cell; ``-`` where there is none."""
    return NOTHING if value is None or value != value else f"{value:z.{digits}f}"


def with_interval(value: float | None, interval: Interval | None, digits: int = 3) -> str:
    """A value and its interval; ``-`` for what is not there."""
    if value is None or value != value:
        return NOTHING
    bounds = NOTHING if interval is None else f"[{interval[0]:z.{digits}f}, {interval[1]:z.{digits}f}]"
    return f"{value:z.{digits}f} {bounds}"


def short(value: float) -> str:
    """Four digits, without an exponent where a reader would have to count."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def short_span(values: Sequence[float]) -> str:
    """The value of all cases; from the least to the most where each has its own, as rescaled MR has."""
    low, high = min(values), max(values)
    return f"{short(low)} to {short(high)}" if high > SAME * low else short(high)


def counted(count: float, many: str) -> str:
    """A number of things in words, such as ``20 queries`` and ``1 query``; ``many`` is their regular plural."""
    one = {"queries": "query", "passes": "pass"}.get(many, many.removesuffix("s"))
    text = f"{count:g}" if isinstance(count, float) else str(count)
    return f"{text} {one if count == 1 else many}"


def heading_of(measure: Mapping[str, Any]) -> str:
    """Name and unit of a measure, from what an identity says of it; see `rogseg.metrics.heading_of`."""
    return metrics.heading_of(str(measure["name"]), str(measure["unit"]), str(measure["better"]))


@dataclasses.dataclass(frozen=True)
class TextTable:
    """A table; the first column is left-aligned, the others are numbers.

    Args:
        title: above it.
        headings: one per column.
        rows: of cells.
        notes: sentences below it.
    """

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def to_markdown(self) -> str:
        """The table in Markdown, without its title."""
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
        return table + "".join(f"\n{note}\n" for note in self.notes)

    def _repr_html_(self) -> str:
        """What a notebook shows."""

        def line(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        lines = [line(self.headings, "th"), *(line(row, "td") for row in self.rows)]
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<table><caption>{html.escape(self.title)}</caption>{''.join(lines)}</table>{notes}"

    def print_to(self, console: Console) -> None:
        """Print it as plain text: as a table where the words fit side by side, else row by row."""
        # Text keeps what stands in square brackets, which a string would lose to the console's markup.
        console.print(Text(self.title, style="bold"))
        widths = _widths([self.headings, *self.rows], console.width)
        if widths is None:
            for first, *others in self.rows:
                console.print(Text(f"{self.headings[0]}: {first}"))
                for heading, cell in zip(self.headings[1:], others, strict=True):
                    console.print(Text(f"  {heading}: {cell}"))
        else:
            lines = [*_lines(self.headings, widths), GAP.join("-" * width for width in widths)]
            for row in self.rows:
                lines += _lines(row, widths)
            console.print(Text("\n".join(lines)))
        for note in self.notes:
            console.print(Text(note))


def _widths(rows: Sequence[Sequence[str]], available: int) -> list[int] | None:
    """Width of each column; None where the longest words do not fit side by side. Intervals are broken last."""
    columns = list(zip(*rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    for word in (_WORD_OR_INTERVAL, _WORD):
        least = [max(len(part) for cell in column for part in [*word.findall(cell), ""]) for column in columns]
        while sum(widths) + len(GAP) * (len(widths) - 1) > available:
            slack = [width - floor for width, floor in zip(widths, least, strict=True)]
            if max(slack) <= 0:
                break
            widths[slack.index(max(slack))] -= 1
        else:
            return widths
    return None


def _lines(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """A row as lines, the first column to the left and the numbers to the right."""
    wrapped = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(len(column) for column in wrapped)
    padded = []
    for index, (column, width) in enumerate(zip(wrapped, widths, strict=True)):
        filled = [*column, *[""] * (height - len(column))]
        padded.append([line.rjust(width) if index else line.ljust(width) for line in filled])
    return [GAP.join(line).rstrip() for line in zip(*padded, strict=True)]


def _wrapped(cell: str, width: int) -> list[str]:
    parts = _WORD_OR_INTERVAL.findall(cell)
    if any(len(part) > width for part in parts):
        parts = cell.split()
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines or [""]
