"""Tables at every width: no number is cut, no unit is swallowed."""

import re
from io import StringIO

import pytest
from rich.console import Console

from rogseg.evaluation.text_table import TextTable, counted, number, short, with_interval

TABLE = TextTable(
    "Distances [mm] of a task with a long title that does not fit in forty columns",
    ["class", "HD95 [mm] [95%]", "volume error [ml]", "robust accuracy [95%]"],
    [
        ["anterior", "1.512 [1.363, 1.734]", "-0.031", "0.667 [0.391, 0.862]"],
        ["posterior part", "11.532 [1.374, 1.785]", "-", "1.000 [0.758, 1.000]"],
    ],
    ["[bold] is no markup."],
)


def printed(width: int) -> str:
    console = Console(width=width, file=StringIO(), color_system=None)
    TABLE.print_to(console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [120, 80, 60, 40, 30])
def test_every_number_and_unit_is_there_at_every_width(width: int) -> None:
    text = printed(width)
    assert all(len(line) <= width for line in text.splitlines())
    numbers = {found for row in TABLE.rows for cell in row for found in re.findall(r"-?\d+\.\d+", cell)}
    assert numbers <= set(re.findall(r"-?\d+\.\d+", text))
    for word in ("[mm]", "[ml]", "[95%]", "[bold]"):
        assert word in text
    assert text.isascii()


def test_intervals_are_broken_last() -> None:
    wide, narrow = printed(80), printed(60)
    assert "1.512 [1.363, 1.734]" in wide
    assert "[1.363, 1.734]" in narrow
    assert "class: anterior" in printed(30)


def test_columns_line_up() -> None:
    lines = printed(100).splitlines()
    rule = next(line for line in lines if set(line) <= {"-", " "})
    starts = [match.start() for match in re.finditer("-+", rule)]
    header, first = lines[lines.index(rule) - 1], lines[lines.index(rule) + 1]
    for start in starts[1:]:
        assert header[start - 2 : start] == "  " == first[start - 2 : start]
    assert header.startswith("class")


def test_markdown() -> None:
    lines = TextTable("t", ["a|b", "c"], [["1", "2"]], ["note"]).to_markdown().splitlines()
    assert lines == ["| a\\|b | c |", "| --- | --- |", "| 1 | 2 |", "", "note"]


def test_cells() -> None:
    assert number(0.12345) == "0.123"
    assert number(None) == number(float("nan")) == "-"
    assert with_interval(0.5, (0.25, 0.75)) == "0.500 [0.250, 0.750]"
    assert with_interval(0.5, None) == "0.500 -"
    assert with_interval(None, None) == with_interval(float("nan"), None) == "-"
    assert [short(value) for value in (0.17684, 23738.4, 0.0, 1e9)] == ["0.1768", "23,738", "0", "1e+09"]


def test_a_notebook_shows_what_is_in_the_table_and_nothing_of_it_is_markup() -> None:
    table = TextTable("a & b", ["class", "Dice"], [["<1>", "0.5 [0.4, 0.6]"]], ["x < y"])
    assert table._repr_html_() == (
        "<table><caption>a &amp; b</caption><tr><th>class</th><th>Dice</th></tr>"
        "<tr><td>&lt;1&gt;</td><td>0.5 [0.4, 0.6]</td></tr></table><p>x &lt; y</p>"
    )


def test_one_of_a_kind_is_not_many() -> None:
    told = [counted(1, "iterations"), counted(1, "queries"), counted(1.0, "passes"), counted(0.5, "minutes")]
    assert told == ["1 iteration", "1 query", "1 pass", "0.5 minutes"]
    assert counted(1_000_001, "passes") == "1000001 passes"
