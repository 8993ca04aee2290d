"""What the page and the tables say of networks that were given different corruptions, or part of the severities."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.identity import Condition, EvaluatedSystem
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables
from rogseg.report.contents import Contents
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.tables.table import ReportTable
from tests.identities import dice_record, of_cases

Dice = Mapping[tuple[str, int], float]
NOT_THE_SAME = "not given the same corruptions at the same severities"


def corrupted(directory: Path, dice: Dice, step: float = 1, seed: int = 0, num_cases: int = 2) -> RecordFolder:
    """Cases of the network that the folder is called, at a Dice by corruption and severity.

    A severity stands for so many times the step.
    """
    made = {name: {"severities": {str(n): n * step for other, n in dice if other == name}} for name, _ in dice}
    condition = Condition("corruption", "corruptions", {"corruptions": made})
    system = EvaluatedSystem("rogseg", directory.name, directory.name, {})
    identity = of_cases(num_cases, condition=condition, threat=None, criterion=None, seed=seed)
    folder = RecordFolder(directory, dataclasses.replace(identity, system=system))
    for case_id in identity.cases:
        made_of = [(CLEAN, 0, 0.9), *((name, severity, value) for (name, severity), value in dice.items())]
        for name, severity, value in made_of:
            record = dice_record(case_id, name, (value, value), severity, success=None)
            folder.add(dataclasses.replace(record, seed=seed))
    return folder


def report_on(tmp_path: Path, **networks: Dice) -> Contents:
    for name, dice in networks.items():
        corrupted(tmp_path / name, dice)
    return contents_of([tmp_path / name for name in networks], tmp_path / "out")


def shown(contents: Contents) -> tuple[list[list[str]], str]:
    """The cells of the summary on the page, and the words below it."""
    html = render_page(contents)
    table, _, rest = html[html.index('id="corruption-summary"') :].partition("</table>")
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("<tr>")[1:]]
    cells = [[re.sub(r"<[^>]+>", "", cell).replace("&ndash;", "-").strip() for cell in row] for row in rows]
    return cells, re.sub(r"<[^>]+>", "", rest[: rest.index("Every corruption")])


def summary_of(contents: Contents) -> ReportTable:
    (table,) = (table for table in report_tables(contents) if table.name == "corruption_summary")
    return table


def test_the_error_is_relative_to_the_first_network_alone(tmp_path: Path) -> None:
    (headings, *rows), words = shown(
        report_on(tmp_path, a={("Blur", 3): 0.8}, b={("Blur", 3): 0.6}, c={("Noise", 3): 0.6})
    )
    column = headings.index("relative error")
    assert [row[column] for row in rows] == ["1", "2.00", "-"]
    assert NOT_THE_SAME in words


@pytest.mark.parametrize("other", [{("Gamma", 3): 0.85}, {("Blur", 2): 0.85}])
def test_different_corruptions_are_said_not_to_compare(tmp_path: Path, other: Dice) -> None:
    made = report_on(tmp_path, hard={("Blur", 3): 0.4, ("Noise", 3): 0.2}, easy=other)
    (headings, *rows), words = shown(made)
    assert [row[headings.index("corruptions")] for row in rows] == ["2", "1"]
    assert "over the corruptions of each network" in words
    assert NOT_THE_SAME in words
    assert any(NOT_THE_SAME in note for note in summary_of(made).notes)


@pytest.mark.parametrize(
    ("num_cases", "caution"), [(1, "One case is too few for an interval."), (4, "4 cases are too few"), (5, None)]
)
def test_few_cases_are_told_beside_the_numbers(tmp_path: Path, num_cases: int, caution: str | None) -> None:
    corrupted(tmp_path / "few", {("Blur", 3): 0.8}, num_cases=num_cases)
    _, words = shown(contents_of([tmp_path / "few"], tmp_path / "out"))
    assert ("too few" not in words) if caution is None else (caution in words)


@pytest.mark.parametrize(
    ("num_corrupted", "told"), [(3, "&middot; 3 cases &middot;"), (6, "&middot; 3 cases attacked, 6 cases corrupted")]
)
def test_the_head_of_the_page_does_not_join_cases_of_different_parts(
    tmp_path: Path, num_corrupted: int, told: str
) -> None:
    attack = RecordFolder(tmp_path / "attack", of_cases(3))
    for case_id in of_cases(3).cases:
        attack.add(dice_record(case_id, CLEAN, (0.9, 0.9), 0, success=None))
        attack.add(dice_record(case_id, "apgd_ce", (0.5, 0.5), 8 / 255))
    corrupted(tmp_path / "corrupt", {("Blur", 3): 0.8}, num_cases=num_corrupted)
    assert told in render_page(contents_of([tmp_path / "attack", tmp_path / "corrupt"], tmp_path / "out"))


def test_the_same_corruptions_in_another_order_compare(tmp_path: Path) -> None:
    one = {("Blur", 3): 0.4, ("Noise", 3): 0.2}
    made = report_on(tmp_path, one=one, other=dict(reversed(one.items())))
    (headings, *_), words = shown(made)
    assert "corruptions" not in headings
    assert "over 2 corruptions, clean and at each severity" in words
    assert NOT_THE_SAME not in words + " ".join(summary_of(made).notes)


@pytest.mark.parametrize("others", [{"step": 1.5}, {"seed": 7}])
def test_other_parameters_or_draws_are_said_not_to_compare(tmp_path: Path, others: Mapping[str, int]) -> None:
    dice = {("Blur", 3): 0.4}
    corrupted(tmp_path / "one", dice)
    corrupted(tmp_path / "other", {("Blur", 3): 0.7}, **others)
    made = contents_of([tmp_path / "one", tmp_path / "other"], tmp_path / "out")
    (headings, *rows), words = shown(made)
    assert [row[headings.index("relative error")] for row in rows] == ["1", "-"]
    assert NOT_THE_SAME in words
    assert any(NOT_THE_SAME in note for note in summary_of(made).notes)


def test_a_severity_that_not_every_corruption_has_is_said(tmp_path: Path) -> None:
    made = report_on(tmp_path, one={("Blur", 1): 0.8, ("Blur", 5): 0.7, ("Noise", 1): 0.3})
    (headings, row), words = shown(made)
    cells = dict(zip(headings, row, strict=True))
    assert (cells["at 1"], cells["at 5"]) == ("0.800", "0.700")  # not .55, which would rise to .7
    assert cells["corruptions"] == "2, 1 at all severities"
    assert "Not every corruption has all severities" in words
    assert "one: each severity over the 1 of 2 corruptions that have all severities." in summary_of(made).notes
    table = evaluation_tables(RecordFolder(tmp_path / "one"))[0]
    assert [line[2] for line in table.rows[1:3]] == ["0.800 -", "0.700 -"]
    assert any("over the 1 of these corruptions that have all severities" in note for note in table.notes)
