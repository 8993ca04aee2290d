import csv
import io
from pathlib import Path

import pytest

from rogseg.report.estimates import Estimate
from rogseg.report.page import _environment
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.tables.table import ReportTable, write_table
from tests.unit.report.synthetic import contents

TABLE = ReportTable(
    "results",
    "Dice | & <50%>",
    ("attack_name", "cases", "mean"),
    (("=SUM(A1)", 5, Estimate(0.51234567, 0.4, 0.6, 5)), ("a|b", None, Estimate(None, None, None, 0))),
    ("A note with 100 %.",),
)


def test_markdown_keeps_its_columns() -> None:
    lines = TABLE.to_markdown().splitlines()
    assert lines[0] == r"**Dice \| & &lt;50%&gt;**"
    rows = [line for line in lines if line.startswith("|")]
    assert rows[1] == "| --- | ---: | ---: |"
    assert rows[2] == "| =SUM(A1) | 5 | 0.512 [0.400, 0.600] |"
    assert rows[3] == r"| a\|b | - | - |"
    assert lines[-1] == "A note with 100 %."


def test_latex_escapes_what_it_would_take_as_commands() -> None:
    text = TABLE.to_latex()
    assert r"\caption{Dice | \& <50\%>. A note with 100 \%.}" in text
    assert r"attack\_name & cases & mean \\" in text
    assert r"\begin{tabular}{lrr}" in text
    assert r"=SUM(A1) & 5 & 0.512 {\scriptsize [0.400, 0.600]} \\" in text
    assert r"a|b & -- & -- \\" in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_csv_holds_numbers_in_full_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(TABLE.to_csv())))
    assert rows[0] == ["attack_name", "cases", "mean", "mean lower", "mean upper", "mean cases"]
    assert rows[1] == ["'=SUM(A1)", "5", "0.51234567", "0.4", "0.6", "5"]
    assert rows[2] == ["a|b", "", "", "", "", "0"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        ReportTable("x", "x", ("a",), ((1, 2),))


def test_all_three_writers_write_the_same_numbers(tmp_path: Path) -> None:
    made = contents(num_cases=6, attacks=("pgd", "apgd"))
    tables = {table.name: table for table in report_tables(made)}
    assert set(tables) == {"results", "differences", "cases", "epsilons"}
    for table in tables.values():
        paths = write_table(table, tmp_path)
        assert [path.suffix for path in paths] == [".md", ".tex", ".csv"]
    results = list(csv.DictReader(io.StringIO((tmp_path / "results.csv").read_text())))
    assert len(results) == 2 * (1 + 4 * 3)
    worst = next(r for r in results if r["attack"] == "worst case" and r["epsilon"] == "8/255")
    mean, lower, upper = (float(worst[f"mean Dice{part}"]) for part in ("", " lower", " upper"))
    text = f"{mean:.3f} [{lower:.3f}, {upper:.3f}]"
    assert text in (tmp_path / "results.md").read_text()
    assert text.partition(" ")[2] in (tmp_path / "results.tex").read_text()
    assert len((tmp_path / "cases.csv").read_text().splitlines()) == 1 + 6 * 2 * (1 + 4 * 3)
    assert "Synthetic data" in (tmp_path / "results.md").read_text()


def test_no_dash_between_bounds_stands_beside_a_minus() -> None:
    bounds = _environment().get_template("parts.html.j2").module.bounds  # type: ignore[attr-defined]
    assert bounds(Estimate(-0.1, -0.118, -0.016, 9)) == "\N{MINUS SIGN}0.118 to \N{MINUS SIGN}0.016"
    assert bounds(Estimate(0.1, 0.05, 0.2, 9)) == "0.050&ndash;0.200"
