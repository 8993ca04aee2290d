import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from rogseg.report.contents import Contents, MeasureText
from rogseg.report.curves import Curve, CurvePoint, curves_of
from rogseg.report.estimates import Estimate
from rogseg.report.figures.dice_curves import plot_attack_area
from rogseg.report.figures.networks import plot_transfer
from rogseg.report.figures.report_figures import write_figures
from rogseg.report.figures.style import COLUMN, legend_above, new_figure, styled
from rogseg.report.rows import Condition, Row
from rogseg.report.summaries import estimate_of
from rogseg.report.svg.frame import log_steps
from rogseg.report.views.attacks import attack_views
from rogseg.report.views.figures import curve_caption
from tests.unit.report.synthetic import contents, saved_volume


def texts(svg: Path) -> list[str]:
    return [element.text or "" for element in ElementTree.parse(svg).iter() if element.tag.endswith("}text")]


@pytest.mark.check
def test_every_family_is_drawn_and_says_what_it_shows(tmp_path: Path) -> None:
    made = contents(num_cases=6, attacks=("pgd", "apgd_ce"), epsilons=(4, 8), num_volumes=0)
    rows = []
    for row in made.rows:
        cases = tuple(
            dataclasses.replace(case, values={**case.values, "volume error": (-2.0, 0.5)}) for case in row.cases
        )
        rows.append(dataclasses.replace(row, cases=cases))
    clean, attacked = rows[0], rows[1]
    blur = [
        dataclasses.replace(attacked, condition=Condition("corruption", "blur", severity, f"{severity:g}"))
        for severity in (1.0, 2.0)
    ]
    transfer = dataclasses.replace(
        attacked.condition, kind="transfer", name="apgd_ce", surrogate="Free AT", strength=8 / 255, label="8/255"
    )
    made = dataclasses.replace(
        made,
        rows=(*rows, *blur, dataclasses.replace(attacked, condition=transfer)),
        measures=(*made.measures, MeasureText("volume error", "volume error", "ml", "zero")),
        volumes=(saved_volume(shape=(20, 25, 12)),),
    )
    files = write_figures(made, tmp_path)
    stems = {path.stem for path in files}
    assert stems == {
        "dice_over_epsilon", "dice_per_class", "differences", "transfer", "single_attacks", "smallest_epsilon",
        "corruptions", "attacked_slices",
        *(f"{name}_{n}" for name in ("attacks", "attack_area", "cases", "size", "volume_error") for n in (1, 2)),
    }  # fmt: skip
    for stem in stems:
        assert imread(tmp_path / f"{stem}.png").std() > 0.02
        assert texts(tmp_path / f"{stem}.svg")
    assert "8/255" in " ".join(texts(tmp_path / "attacked_slices.svg"))
    assert {"perturbation [HU]", "liver", "tumour"} <= set(texts(tmp_path / "attacked_slices.svg"))
    assert "signed volume error [ml]" in texts(tmp_path / "volume_error_1.svg")
    assert "severity" in texts(tmp_path / "corruptions.svg")
    assert clean.condition.kind == "clean"


@pytest.mark.check
def test_a_figure_of_the_smallest_epsilons_has_one_criterion_and_says_how_many_cases(tmp_path: Path) -> None:
    made = contents(num_cases=2, attacks=("pgd",), epsilons=(8,), num_volumes=0)

    def changed(change: Callable[[Row], Row]) -> Contents:
        rows = tuple(change(row) if row.system == made.systems[1].name else row for row in made.rows)
        return dataclasses.replace(made, rows=rows)

    fewer = changed(lambda row: dataclasses.replace(row, cases=row.cases[:1]))
    write_figures(fewer, tmp_path / "fewer")
    assert "share of 1 to 2 cases that fell" in texts(tmp_path / "fewer" / "smallest_epsilon.svg")
    by = changed(lambda row: dataclasses.replace(row, condition=dataclasses.replace(row.condition, criterion="grown")))
    assert "smallest_epsilon" not in {path.stem for path in write_figures(by, tmp_path / "by")}


def curve(name: str, *values: float) -> Curve:
    points = [CurvePoint(i * 4 / 255, f"{i * 4}/255", Estimate(v, None, None, 1), (), "") for i, v in enumerate(values)]
    return Curve(name, tuple(points))


def test_areas_stand_in_the_legend(tmp_path: Path) -> None:
    _, svg = plot_attack_area([curve("PGD", 0.8, 0.6, 0.4), curve("APGD", 0.8, 0.4, 0.0)], tmp_path / "area")
    assert {"PGD, area 0.600", "APGD, area 0.400"} <= set(texts(svg))


def late_member(made: Contents) -> Contents:
    """Square as the late member of a cascade: it met the last case at 8/255, the last two at 4/255."""
    rows = []
    for one in made.rows:
        first = {8 / 255: 5, 4 / 255: 4}.get(one.condition.strength, 0) if one.condition.name == "Square" else 0
        rows.append(dataclasses.replace(one, cases=one.cases[first:]))
    return dataclasses.replace(made, rows=tuple(rows))


def test_a_late_member_of_a_cascade_is_not_drawn_as_if_it_had_met_all_cases(tmp_path: Path) -> None:
    made = contents(6, attacks=("pgd", "Square"), systems=("net",), epsilons=(4, 8), num_volumes=0)
    made = late_member(dataclasses.replace(made, classes=made.classes[:1]))
    write_figures(made, tmp_path)
    shown = texts(tmp_path / "single_attacks.svg")
    assert "met 1 of 6 cases" in shown
    at_8 = [one for one in made.rows if one.condition.strength in (0, 8 / 255)]
    numbers = {one.condition.name: f"{estimate_of(one, made.primary).value:.3f}" for one in at_8}
    assert numbers.pop("Square") not in shown
    assert set(numbers.values()) <= set(shown)
    assert "Square, 1 of 6 cases" in texts(tmp_path / "attacks.svg")
    assert not (tmp_path / "attack_area.svg").exists()
    (view,) = attack_views(made)
    assert [name for name, _ in view.figures[0].legend] == ["pgd", "Square, 1 of 6 cases", "worst case"]
    assert 'data-series="Square, 1 of 6 cases"' in view.figures[0].svg
    assert "all of its points have" in view.figures[0].caption


def test_bars_of_an_unfinished_evaluation_are_over_the_cases_that_were_attacked(tmp_path: Path) -> None:
    clean, row = contents(6, attacks=("pgd",), systems=("net",), epsilons=(8,), num_volumes=0).rows
    made = contents(6, attacks=("pgd",), systems=("net",), epsilons=(8,), num_volumes=0)
    begun = dataclasses.replace(row, cases=row.cases[:2])
    write_figures(dataclasses.replace(made, rows=(clean, begun)), tmp_path)
    shown = texts(tmp_path / "single_attacks.svg")
    same = dataclasses.replace(clean, cases=clean.cases[:2])
    assert {f"{estimate_of(one, made.primary).value:.3f}" for one in (same, begun)} <= set(shown)
    assert not any(text.startswith("met") for text in shown)


@pytest.mark.parametrize(
    "names", [["a", "b"], ["nnU-Net hardened", "standard", "Free AT", "nnU-Net"], ["x" * 40, "y" * 40]]
)
def test_no_line_runs_through_a_legend_and_none_is_cut_off(names: list[str]) -> None:
    with styled():
        figure = new_figure(COLUMN, 2.6)
        axes = figure.add_subplot()
        for name in names:
            axes.plot([0, 1], [0, 1], label=name)
        legend_above(figure, axes)
        figure.draw_without_rendering()  # lays out
        legend, whole = figure.legends[0].get_window_extent(), figure.bbox
    assert legend.y0 >= axes.get_window_extent().y1
    assert whole.x0 <= legend.x0 < legend.x1 <= whole.x1
    assert legend.y1 <= whole.y1
    assert axes.get_window_extent().height > 0.65 * 2.6 * figure.dpi


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    panels: dict[str, list[list[float | None]]] = {
        "pgd, 4/255": [[0.8, 0.7], [0.3, 0.95], [None, 0.4]],
        "pgd, 8/255": [[0.8, 0.7], [0.1, 0.9], [None, 0.2]],
    }
    first, second = (
        plot_transfer(["no attack", "a", "b"], ["a", "b"], panels, tmp_path / name) for name in ("first", "second")
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert {"0.10", "0.90", "-", "0.20", "0.95", "pgd, 4/255", "pgd, 8/255", "no attack"} <= set(texts(first[1]))


def test_a_caption_names_no_intervals_where_none_are_drawn() -> None:
    def caption(num_cases: int) -> str:
        clean, row = contents(num_cases, attacks=("pgd",), systems=("net",), epsilons=(8,), num_volumes=0).rows
        return curve_caption(curves_of(clean, [row], MeasureText("Dice", "Dice")))

    assert "95% intervals" in caption(6)
    assert "too few of them for intervals" in caption(2)


def test_files_are_named_plainly_and_bars_begin_at_the_clean_value_of_the_same_cases(tmp_path: Path) -> None:
    made = contents(num_cases=2, attacks=("pgd",), systems=("net",), epsilons=(8,), num_volumes=0)
    clean, row = made.rows
    norm = "Linf, reference box"
    other = dataclasses.replace(row, condition=dataclasses.replace(row.condition, norm=norm))
    elsewhere = tuple(dataclasses.replace(case, values={"Dice": (0.987, 0.987)}) for case in clean.cases)
    raw = dataclasses.replace(clean, cases=elsewhere, setting="in the grid of the files")
    blurred = dataclasses.replace(raw, condition=Condition("corruption", "blur", 1.0, "1"))
    threats = (*made.threats, dataclasses.replace(made.threats[0], norm=norm))
    made = dataclasses.replace(made, rows=(clean, row, other, raw, blurred), threats=threats, classes=made.classes[:1])
    names = {path.name for path in write_figures(made, tmp_path)}
    assert {"cases_linf.svg", "cases_linf_reference_box.svg"} <= names
    assert not any(set(name) & set(", ") for name in names)
    shown = texts(tmp_path / "single_attacks_linf.svg")
    assert f"{estimate_of(clean, made.primary).value:.3f}" in shown
    assert "0.987" not in shown


@pytest.mark.parametrize(
    ("smallest", "largest", "expected"),
    [
        (0.9, 1100, [1, 10, 100, 1000]),
        (0.9, 21, [1, 2, 5, 10, 20]),
        (1.1, 2.3, [1.2, 1.6, 2]),
        (0.95, 4.2, [1, 2, 3]),
        (1.81, 2.04, [2]),
    ],
)
def test_an_axis_of_sizes_has_round_numbers(smallest: float, largest: float, expected: list[float]) -> None:
    found = log_steps(math.log10(smallest), math.log10(largest))
    assert set(expected) <= set(found)
    assert all(smallest <= value <= largest for value in found)
    assert len(found) >= 3 or largest / smallest < 1.2
