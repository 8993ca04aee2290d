"""ReportTable: cells as values, and what writes them as Markdown, LaTeX and CSV."""

import csv
import dataclasses
import io
from pathlib import Path

from rogseg.evaluation.proved_bounds import rounded_down, rounded_up
from rogseg.report.estimates import Estimate
from rogseg.storage import write_text_atomic

__all__ = ["Cell", "Proved", "ReportTable", "write_table"]


@dataclasses.dataclass(frozen=True)
class Proved:
    """A proved bound in a cell: where it has fewer digits, it is rounded to what is still proved."""

    value: float | Estimate
    is_upper: bool = False


Cell = str | int | float | Estimate | Proved | None
DECIMALS = 3

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
# What Markdown would take as a column, a tag or an emphasis.
MARKDOWN = str.maketrans({"|": r"\|", "<": "&lt;", ">": "&gt;", "*": r"\*", "`": r"\`", "\n": " "})


@dataclasses.dataclass(frozen=True)
class ReportTable:
    """A table.

    Args:
        name: of its files.
        title: in words.
        headings: one per column.
        rows: cells; an `Estimate` is a number with its interval, `Proved` a bound, None is no value.
        notes: sentences below it.

    Raises:
        ValueError: a row has another number of cells than there are headings.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ValueError(
                    f"table {self.name}: a row has {len(row)} cells, there are {len(self.headings)} headings"
                )

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers only."""
        return all(not isinstance(row[column], str) for row in self.rows)

    def to_markdown(self) -> str:
        """With title and notes; numbers to the right."""
        rule = ["---:" if self.is_numeric(index) else "---" for index in range(len(self.headings))]
        lines = [[_escaped(heading) for heading in self.headings], rule]
        lines += [[_escaped(_text(cell)) for cell in row] for row in self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return (
            "\n".join([f"**{_escaped(self.title)}**", "", table, *(f"\n{_escaped(note)}" for note in self.notes)])
            + "\n"
        )

    def to_latex(self) -> str:
        """For the package booktabs; intervals are set small."""
        layout = "".join("r" if self.is_numeric(index) else "l" for index in range(len(self.headings)))
        lines = [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(' '.join([self.title + '.', *self.notes]))}}}",
            rf"\label{{tab:{self.name}}}",
            rf"\begin{{tabular}}{{{layout}}}",
            r"\toprule",
            " & ".join(_latex(heading) for heading in self.headings) + r" \\",
            r"\midrule",
            *(" & ".join(_latex_cell(cell) for cell in row) + r" \\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def to_csv(self) -> str:
        """Numbers in full; an estimate takes four columns: value, lower, upper, cases. No value is an empty cell."""
        rows = [[cell.value if isinstance(cell, Proved) else cell for cell in row] for row in self.rows]
        estimates = {index for index in range(len(self.headings)) if any(isinstance(r[index], Estimate) for r in rows)}
        headings: list[str] = []
        for index, heading in enumerate(self.headings):
            headings.append(heading)
            if index in estimates:
                headings += [f"{heading} lower", f"{heading} upper", f"{heading} cases"]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(headings)
        for row in rows:
            cells: list[object] = []
            for index, cell in enumerate(row):
                if isinstance(cell, Estimate):
                    cells += [_full(cell.value), _full(cell.lower), _full(cell.upper), cell.cases]
                else:
                    cells.append(_full(cell))
                    cells += ["", "", ""] if index in estimates else []
            writer.writerow(cells)
        return text.getvalue()


def write_table(table: ReportTable, directory: Path) -> tuple[Path, Path, Path]:
    """Write ``<name>.md``, ``<name>.tex`` and ``<name>.csv``."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for suffix, text in (("md", table.to_markdown()), ("tex", table.to_latex()), ("csv", table.to_csv())):
        path = directory / f"{table.name}.{suffix}"
        write_text_atomic(path, text)
        written.append(path)
    return written[0], written[1], written[2]


def _rounded(cell: Cell) -> str | float | Estimate | None:
    """A proved bound with the digits that are shown; any other cell as it is."""
    if not isinstance(cell, Proved):
        return cell
    if isinstance(cell.value, Estimate):
        return cell.value.at_most(DECIMALS) if cell.is_upper else cell.value.at_least(DECIMALS)
    return (rounded_up if cell.is_upper else rounded_down)(cell.value, DECIMALS)


def _text(cell: Cell) -> str:
    cell = _rounded(cell)
    if cell is None:
        return "-"
    if isinstance(cell, Estimate):
        return cell.text()
    return f"{cell:z.{DECIMALS}f}" if isinstance(cell, float) else str(cell)


def _full(cell: str | float | None) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, str):
        # A name from a file must not become a formula in a spreadsheet.
        return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell
    return repr(cell) if isinstance(cell, float) else cell


def _escaped(text: str) -> str:
    return text.translate(MARKDOWN)


def _latex(text: str) -> str:
    return "".join(LATEX.get(letter, letter) for letter in text)


def _latex_cell(cell: Cell) -> str:
    cell = _rounded(cell)
    if isinstance(cell, Estimate) and cell.lower is not None and cell.upper is not None:
        value, _, interval = cell.text().partition(" ")
        return rf"{value} {{\scriptsize {interval}}}"
    return "--" if cell is None or (isinstance(cell, Estimate) and cell.value is None) else _latex(_text(cell))
