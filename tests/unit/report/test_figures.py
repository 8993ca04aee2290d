import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from rogseg.report.contents import MeasureText
from rogseg.report.estimates import Estimate
from rogseg.report.figures.dice_curves import plot_attack_area
from rogseg.report.figures.networks import plot_transfer
from rogseg.report.figures.report_figures import write_figures
from rogseg.report.rows import Condition
from rogseg.report.summaries import Curve, CurvePoint
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
    assert "volume error [ml]" in texts(tmp_path / "volume_error_1.svg")
    assert "severity" in texts(tmp_path / "corruptions.svg")
    assert clean.condition.kind == "clean"


def curve(name: str, *values: float) -> Curve:
    points = [CurvePoint(i * 4 / 255, f"{i * 4}/255", Estimate(v, None, None, 1), (), "") for i, v in enumerate(values)]
    return Curve(name, tuple(points))


def test_areas_stand_in_the_legend(tmp_path: Path) -> None:
    _, svg = plot_attack_area([curve("PGD", 0.8, 0.6, 0.4), curve("APGD", 0.8, 0.4, 0.0)], tmp_path / "area")
    assert {"PGD, area 0.600", "APGD, area 0.400"} <= set(texts(svg))


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
