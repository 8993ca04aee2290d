import dataclasses
import datetime
import importlib
import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rogseg.evaluation.identity import EvaluatedSystem
from rogseg.findings import BAD_GRADIENTS, NOT_LOOKED_AT, OF_SEARCHES
from rogseg.report import write_report
from rogseg.report.contents import Contents, Finding
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.svg.frame import dodged
from rogseg.report.views.checks import passed_of
from tests.unit.report.synthetic import contents
from tests.unit.report.test_records import evaluation, transferred


class Tags(HTMLParser):
    """Collects tags that are open at the end, and all attributes of links and sources."""

    VOID = {"meta", "input", "img", "br", "link", "hr"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another"


def test_a_page_is_whole_and_fetches_nothing() -> None:
    html = render_page(contents(num_cases=6))
    tags = Tags(html)
    assert tags.open == []
    assert all(source.startswith(("#", "data:")) for source in tags.sources)
    assert "default-src 'none'" in html
    assert "unsafe-eval" not in html
    assert not re.search(r"url\((?!data:)", html)
    for name in ("verdict", "checks", "tested", "results", "look", "cases", "limits", "again"):
        assert f'id="{name}"' in html


def test_scripts_are_allowed_by_their_digests_alone() -> None:
    html = render_page(contents(num_cases=5))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', unescape(html))
    assert policy is not None
    scripts = re.search(r"script-src ([^;]*)", policy[1])
    assert scripts is not None
    assert set(re.sub(r"'sha256-[A-Za-z0-9+/=]+'", "", scripts[1])) <= {" "}
    assert not re.search(r"<[^>]+\son\w+=", html)


def test_a_page_without_volumes_has_no_viewer() -> None:
    html = render_page(contents(num_cases=5, num_volumes=0))
    assert 'id="look"' not in html
    assert "loadVolume" not in html


def test_what_is_embedded_is_json_without_nan() -> None:
    html = render_page(contents(num_cases=5, num_volumes=1))
    found = re.search(r'<script type="application/json" id="volumes">(.*?)</script>', html, re.S)
    assert found is not None
    entries = json.loads(found[1], parse_constant=lambda name: pytest.fail(name))
    assert [entry["label"] for entry in entries] == ["8/255", "16/255"]


def test_synthetic_data_are_called_so() -> None:
    assert "synthetic data" in render_page(contents(num_cases=5))


def test_a_report_has_page_figures_tables_and_evidence(tmp_path: Path) -> None:
    evaluation(tmp_path / "pgd")
    paths = write_report([tmp_path / "pgd"], tmp_path / "out", evidence=True, written=datetime.date(2026, 1, 2))
    assert paths.page == tmp_path / "out" / "report.html"
    html = paths.page.read_text()
    assert "2 January 2026" in html
    assert 'href="../pgd/records.jsonl"' in html
    assert all(path.exists() for path in (*paths.figures, *paths.tables))
    assert paths.evidence == tmp_path / "out" / "evidence"
    made = contents_of([tmp_path / "pgd"], tmp_path / "out", written=datetime.date(2026, 1, 2))
    assert render_page(made) == html


def test_a_transfer_and_an_attack_of_one_name_are_told_apart_in_the_records(tmp_path: Path) -> None:
    system = EvaluatedSystem("rogseg", "b", "digest of b", {})
    folders = [
        evaluation(tmp_path / "own", num_cases=2, system=system),
        transferred(tmp_path, "a", "b", 0.6),
    ]
    html = render_page(contents_of([folder.directory for folder in folders], tmp_path))
    _, _, table = html.partition('id="record-table"')
    lines = [re.findall(r"<td>(.*?)</td>", line) for line in table.partition("</table>")[0].split("<tr>")[2:]]
    assert sorted(cells[0] for cells in lines if cells[0] != "clean") == ["pgd", "pgd", "pgd from a", "pgd from a"]


def test_a_difference_that_rounds_to_zero_has_no_minus(tmp_path: Path) -> None:
    evaluation(tmp_path / "one", dice=0.4)
    evaluation(tmp_path / "two", dice=0.3999, system=EvaluatedSystem("rogseg", "robust", "xyz", {}))
    evaluation(tmp_path / "three", dice=0.3, system=EvaluatedSystem("rogseg", "worse", "uvw", {}))
    html = render_page(contents_of([tmp_path / name for name in ("one", "two", "three")], tmp_path))
    found = re.findall(r'<td class="n" data-value="-[^"]*">([^<]*)</td>', html)
    assert found == ["+0.000", "\N{MINUS SIGN}0.100", "\N{MINUS SIGN}0.100"]


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def _no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file per network stands for the figures, which take their time."""

    def write(contents: Contents, directory: Path) -> tuple[Path, ...]:
        directory.mkdir(exist_ok=True)
        files = tuple(directory / f"{system.name}.svg" for system in contents.systems)
        for path in files:
            path.write_text("")
        return files

    monkeypatch.setattr(importlib.import_module("rogseg.report.write_report"), "write_figures", write)


@pytest.mark.usefixtures("_no_drawing")
def test_a_report_that_is_written_again_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    evaluation(tmp_path / "one")
    evaluation(tmp_path / "two", dice=0.6, system=EvaluatedSystem("rogseg", "robust", "xyz", {}))
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    both = write_report([tmp_path / "one", tmp_path / "two"], out)
    (out / "notes.md").write_text("mine")
    (out / "tables").rename(elsewhere)
    (out / "tables").symlink_to(elsewhere)
    alone = write_report([tmp_path / "one"], out)
    assert len(alone.figures) < len(both.figures)
    assert files_in(out) == {alone.page, *alone.figures, *alone.tables, out / "notes.md"}
    assert {out / "tables" / path.name for path in files_in(elsewhere)} == set(both.tables)  # a link leads to others


@pytest.mark.usefixtures("_no_drawing")
def test_what_is_not_replaced_is_kept(tmp_path: Path) -> None:
    evaluation(tmp_path / "one")
    out = tmp_path / "out"
    write_report([tmp_path / "one"], out)
    there = files_in(out)
    with pytest.raises(ValueError, match="nowhere"):
        write_report([tmp_path / "nowhere"], out)
    assert files_in(out) == there
    shutil.rmtree(out / "tables")
    (out / "tables").write_text("mine")
    with pytest.raises(ValueError, match="holds tables, which no report has written"):
        write_report([tmp_path / "one"], out)
    assert (out / "tables").read_text() == "mine"


@pytest.mark.parametrize("page", [None, "A page of mine."])
def test_figures_that_no_report_has_written_are_kept(tmp_path: Path, page: str | None) -> None:
    evaluation(tmp_path / "one")
    figure = tmp_path / "out" / "figures" / "mine.png"
    figure.parent.mkdir(parents=True)
    figure.write_bytes(b"pixels")
    if page is not None:
        (tmp_path / "out" / "report.html").write_text(page)
    with pytest.raises(ValueError, match="which no report has written"):
        write_report([tmp_path / "one"], tmp_path / "out")
    assert figure.read_bytes() == b"pixels"


def test_dots_of_one_column_do_not_cover_each_other() -> None:
    values = [0.5] * 4 + [0.9]
    shifts = dodged(values, lambda value: 300 * value, radius=2.5)
    placed = [(shift, 300 * value) for shift, value in zip(shifts, values, strict=True)]
    for index, (x, y) in enumerate(placed):
        for other_x, other_y in placed[:index]:
            assert (x - other_x) ** 2 + (y - other_y) ** 2 > 4**2
    assert shifts[4] == 0
    assert max(map(abs, dodged([0.5] * 100, lambda value: value, widest=14))) <= 14


@pytest.mark.parametrize(("checks", "is_told"), [("without searches", True), ("all", False), ("none", True)])
def test_a_page_says_what_the_checks_left_open_and_how_it_is_examined(checks: str, is_told: bool) -> None:
    made = contents(num_cases=5, systems=("one",), num_volumes=0)
    of_searches = {*OF_SEARCHES} if checks == "without searches" else set()
    findings = tuple(one for one in made.findings if checks != "none" and one.name not in of_searches)
    html = render_page(dataclasses.replace(made, findings=findings))
    assert ("--sanity full" in html) == is_told
    assert ("whether more iterations find more" in html) == is_told
    assert ("the network itself" in html) == (checks == "none")


def test_a_check_that_was_not_made_is_not_counted_as_one_that_did_not_pass() -> None:
    unseen = Finding("one", NOT_LOOKED_AT, "warning", "too few passes", "")
    assert passed_of([unseen], "one") == (0, 0)
    assert passed_of([unseen, Finding("one", BAD_GRADIENTS, "ok", "0 of 2", "")], "one") == (1, 1)


def test_one_case_is_written_as_one() -> None:
    made = contents(num_cases=1, systems=("one",), num_volumes=0)
    html = render_page(dataclasses.replace(made, facts={}))
    assert not re.search(r"\b1 cases\b", html)
