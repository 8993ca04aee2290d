from io import StringIO

from rich.console import Console

from rogseg.evaluation.robustness_summary import AttackSummary
from rogseg.evaluation.robustness_table import markdown_table, rich_table

ROWS = [
    AttackSummary("clean", 0.0, (0.9, 0.8), (0.86, 0.84), (True, True)),
    AttackSummary("APGD-CE", 8 / 255, (0.5, 0.1), (0.3, float("nan")), (True, False)),
]


def test_markdown_has_a_line_per_row() -> None:
    lines = markdown_table(ROWS, ["organ", "lesion"]).splitlines()
    assert lines[0] == "| attack | epsilon | cases | mean Dice [95%] | organ | lesion | robust accuracy [95%] |"
    assert lines[2] == "| clean | - | 2 | 0.850 [0.800, 0.900] | 0.860 | 0.840 | 1.000 [1.000, 1.000] |"
    assert lines[3] == "| APGD-CE | 8/255 | 2 | 0.300 [0.100, 0.500] | 0.300 | - | 0.500 [0.000, 1.000] |"


def test_terminal_table_says_the_same() -> None:
    out = StringIO()
    Console(file=out, width=140).print(rich_table(ROWS, ["organ", "lesion"], "Robustness"))
    assert "0.300 [0.100, 0.500]" in out.getvalue()
    assert "8/255" in out.getvalue()
