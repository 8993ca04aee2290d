"""Certificates beside the attacks of one system: the section of the page, the figure, the tables."""

import csv
import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest

from rogseg.certification import CertifiedCase, RegionBounds, Smoothing
from rogseg.evaluation.case_record import CLEAN, DICE, CaseRecord
from rogseg.evaluation.identity import Condition, ThreatSetting
from rogseg.evaluation.proved_bounds import radius_text, rounded_down, rounded_up, significant_down, significant_up
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables
from rogseg.report import write_report
from rogseg.report.estimates import Estimate
from rogseg.report.records.contents import contents_of
from rogseg.report.tables.table import Proved, ReportTable
from rogseg.report.views.certificates import certificate_curves, certificate_view
from tests.identities import dice_record, of_cases

SIZES = {"case_0": 40_000, "case_1": 62_500}
DEPTHS = {0.25: 0.55, 0.5: 0.35}


def bounds(dice: float, target: float) -> RegionBounds:
    volumes = {"volume_lower": 0.6, "volume_upper": 1.5, "volume_smoothed": 1.02, "volume_target": 1.0}
    return exact(dice, {key: share * target for key, share in volumes.items()})


def exact(dice: float, volumes: dict[str, float]) -> RegionBounds:
    shares = {"certified": dice, "excluded": 0.05, "abstained": 0.95 - dice}
    return RegionBounds(dice_lower=dice, dice_upper=0.97, dice_smoothed=0.8, **shares, **volumes)


def certified(case_id: str, sigma: float, tau: float) -> CertifiedCase:
    radius, values = Smoothing(sigma).radius(tau), SIZES[case_id]
    rms = radius / math.sqrt(values)
    dice = DEPTHS[sigma] - (tau - 0.75) - (0.1 if case_id == "case_1" else 0)
    return CertifiedCase(
        sigma=sigma,
        sigma_raw=(400 * sigma,),
        tau=tau,
        radius=radius,
        radius_rms=rms,
        radius_rms_raw=(400 * rms,),
        num_values=values,
        accuracy=0.9,
        abstained=0.08,
        fell_back=0.03,
        classes={"organ": bounds(dice, 20.0), "lesion": bounds(max(0.0, dice - 0.2), 2.0)},
        groups={"any foreground": bounds(dice + 0.1, 22.0)},
    )


def certificates(directory: Path) -> Path:
    config = {"type": "smoothing", "alpha": 0.001, "num_samples": 200}
    identity = of_cases(2, condition=Condition("certificate", "smoothing", config), threat=None, criterion=None)
    folder = RecordFolder(directory, identity)
    for case_id in SIZES:
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        for sigma in DEPTHS:
            for tau in (0.75, 0.9):
                one = certified(case_id, sigma, tau)
                lower = tuple(part.dice_lower for part in one.classes.values())
                record = CaseRecord(case_id, f"certified, sigma {sigma:g}", one.radius, {}, {DICE: lower})
                folder.add(dataclasses.replace(record, certificate=one))
    return directory


def attacks(directory: Path, num_cases: int = 2, protocol: str = "volume") -> Path:
    threat, attack = ThreatSetting("L2Threat", "fraction", {}), Condition("attack", "apgd_dice_l2", {"type": "APGD"})
    folder = RecordFolder(directory, of_cases(num_cases, threat=threat, condition=attack, protocol=protocol))
    folder.settle_mu(0.8)
    for case_id in folder.identity.cases:
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.7)))
        for epsilon, dice in ((0.25 / 255, 0.6), (0.5 / 255, 0.2)):
            folder.add(dice_record(case_id, "apgd_dice_l2", (dice, dice), epsilon))
    return directory


def test_the_records_say_it_in_words(tmp_path: Path) -> None:
    whole, by_class = evaluation_tables(RecordFolder(certificates(tmp_path)))
    assert "certificate smoothing" in whole.title
    first = dict(zip(whole.headings, whole.rows[0], strict=True))
    assert (first["sigma"], first["tau"], first["L2 radius"]) == ("0.25 (100 HU)", "0.75", "0.168")
    # 0.1686 over the roots of 62,500 and 40,000, times 255.
    assert first["its RMS"] == "0.17 to 0.21/255 (0.2697 to 0.3372 HU)"
    assert first["Dice at least [95%]"].startswith("0.400")  # (0.55 + 0.35 + 0.45 + 0.25) / 4
    group = next(row for row in by_class.rows if row[0] == "any foreground")
    assert dict(zip(by_class.headings, group, strict=True))["at least [ml]"] == "13.2"
    assert any("not the network itself" in note for note in by_class.notes)
    assert not any("INCOMPLETE" in note for note in by_class.notes)


def test_one_axis_shows_the_certificate_and_the_attack(tmp_path: Path) -> None:
    contents = contents_of([certificates(tmp_path / "c"), attacks(tmp_path / "a")], tmp_path)
    curves = {curve.name: curve.points for curve in certificate_curves(contents)}
    assert set(curves) == {"certified, sigma 0.25", "certified, sigma 0.5", "attacked, not smoothed"}
    certain = curves["certified, sigma 0.25"]
    mean_root = (1 / math.sqrt(40_000) + 1 / math.sqrt(62_500)) / 2
    assert [point.strength for point in certain] == pytest.approx(
        [0.0, *(Smoothing(0.25).radius(tau) * mean_root for tau in (0.75, 0.9))]
    )
    assert [point.estimate.value for point in certain] == pytest.approx([0.8, 0.4, 0.25])
    assert [point.strength for point in curves["attacked, not smoothed"]] == pytest.approx([0, 0.25 / 255, 0.5 / 255])
    assert [point.estimate.value for point in curves["attacked, not smoothed"]] == pytest.approx([0.8, 0.6, 0.2])


@pytest.mark.parametrize("others", [{"num_cases": 5}, {"protocol": "patch"}])
def test_attacks_on_other_cases_or_on_windows_are_not_drawn_beside_it(tmp_path: Path, others: dict[str, Any]) -> None:
    contents = contents_of([certificates(tmp_path / "c"), attacks(tmp_path / "a", **others)], tmp_path)
    assert {curve.name for curve in certificate_curves(contents)} == {"certified, sigma 0.25", "certified, sigma 0.5"}
    view = certificate_view(contents)
    assert view is not None
    assert "no attacked line is drawn: the L2 attacks were on other cases or windows" in view.figure.caption


def test_page_figure_and_tables_hold_the_certificates(tmp_path: Path) -> None:
    paths = write_report([certificates(tmp_path / "c"), attacks(tmp_path / "a")], tmp_path / "out")
    page = paths.page.read_text()
    assert '<section id="certificates"' in page
    assert '<a href="#certificates">Certificates</a>' in page
    sentence = "Dice stays at 0.40 or above on average over 2 cases; without any change it is 0.80."
    assert sentence in page
    assert "any foreground <small>group</small>" in page
    assert "noise 100 HU, radius 0.2697 to 0.3372 HU RMS" in page
    assert "Guarantees: no certificate" not in page
    assert "nothing of changes beyond its radius" in page
    assert {"certified_dice.png", "certified_dice.svg"} <= {path.name for path in paths.figures}
    rows = list(csv.DictReader((tmp_path / "out/tables/certificates.csv").read_text().splitlines()))
    assert [float(row["tau"]) for row in rows] == [0.75, 0.9, 0.75, 0.9]
    assert float(rows[0]["Dice at least"]) == pytest.approx(0.4)
    classes = list(csv.DictReader((tmp_path / "out/tables/certified_classes.csv").read_text().splitlines()))
    assert len(classes) == 4 * 3
    assert float(classes[1]["at most [ml]"]) == pytest.approx(3.0)
    # The table of attacks has no row of a certificate.
    assert "certified" not in (tmp_path / "out/tables/results.csv").read_text()


def test_what_is_proved_is_never_rounded_to_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DEPTHS, 0.25, 0.9357)
    target = {"volume_lower": 1.358, "volume_upper": 2.047, "volume_smoothed": 1.597, "volume_target": 1.6}
    monkeypatch.setattr("tests.unit.report.test_certificates.bounds", lambda dice, _: exact(dice, target))
    page = write_report([certificates(tmp_path / "c")], tmp_path / "out").page.read_text()
    assert "Dice stays at 0.78 or above on average" in page  # 0.7857
    shown = set(re.findall(r">([0-9.]+)</a></td>", page))
    assert {"1.35", "2.05"} <= shown
    assert not {"1.36", "2.04"} & shown


@pytest.mark.parametrize(
    ("value", "decimals", "down", "up"),
    [(0.785, 2, 0.78, 0.79), (0.30000000000000004, 2, 0.3, 0.3), (1.1400000000000001, 3, 1.14, 1.14)],
)
def test_rounding_of_bounds(value: float, decimals: int, down: float, up: float) -> None:
    assert (rounded_down(value, decimals), rounded_up(value, decimals)) == (down, up)
    assert rounded_down(None, decimals) is rounded_up(None, decimals) is None


@pytest.mark.parametrize(
    ("value", "digits", "down", "up"),
    [
        (0.18504, 2, 0.18, 0.19),
        (12.346, 4, 12.34, 12.35),
        (1234.5, 2, 1200.0, 1300.0),
        (0.2, 2, 0.2, 0.2),
        (0, 3, 0, 0),
    ],
)
def test_significant_digits_of_bounds(value: float, digits: int, down: float, up: float) -> None:
    assert (significant_down(value, digits), significant_up(value, digits)) == (down, up)
    assert float(radius_text(value, digits)) == down


def test_tables_hold_no_more_than_is_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lower, upper = Estimate(0.7857, 0.7, 0.8, 6), Estimate(0.99947, None, None, 6)
    table = ReportTable("t", "T", ("a", "b", "c"), ((Proved(lower), Proved(upper, is_upper=True), Proved(0.16862)),))
    assert "| 0.785 [0.700, 0.800] | 1.000 | 0.168 |" in table.to_markdown()
    assert "0.785" in table.to_latex()
    assert "0.7857,0.7,0.8,6,0.99947,,,6,0.16862" in table.to_csv()
    monkeypatch.setitem(DEPTHS, 0.25, 0.9357)
    text = evaluation_tables(RecordFolder(certificates(tmp_path / "c")))[0].to_markdown()
    assert "0.785" in text
    assert "0.786" not in text


def test_certificates_alone_are_no_attack_and_no_statement_about_the_network_itself(tmp_path: Path) -> None:
    page = write_report([certificates(tmp_path / "c")], tmp_path / "out").page.read_text()
    assert "what is proved of its smoothed version stands under Certificates" in page
    assert "Every attack" not in page
    assert "Adversarial attacks of any kind." in page


def test_a_report_without_certificates_has_no_such_section(tmp_path: Path) -> None:
    contents = contents_of([attacks(tmp_path / "a")], tmp_path)
    assert certificate_view(contents) is None
    assert certificate_curves(contents) == ()
    page = write_report([tmp_path / "a"], tmp_path / "out").page.read_text()
    assert 'id="certificates"' not in page
    assert "Guarantees: no certificate" in page
