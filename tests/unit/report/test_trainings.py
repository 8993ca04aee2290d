"""Networks called RECIPE#TRAINING: tables over the trainings, and what is then compared."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rogseg.evaluation.identity import Condition
from rogseg.report.contents import Contents
from rogseg.report.page import render_page
from rogseg.report.records.contents import contents_of
from rogseg.report.tables.report_tables import report_tables
from rogseg.report.trainings import trainings_among
from rogseg.report.views.networks import comparisons
from rogseg.report.views.trainings import differences_over_trainings, values_over_trainings
from tests.identities import IDENTITY
from tests.unit.report.synthetic import contents
from tests.unit.report.test_records import evaluation

NAMES = ("standard#0", "standard#1", "standard#2", "Free AT#2", "Free AT#0", "Free AT#1", "other#7")


def made() -> Contents:
    return contents(num_cases=6, attacks=("pgd", "apgd"), systems=NAMES, epsilons=(4, 8), num_volumes=0)


def trained(folder: Path, digest: str, *, mirror: bool = False, attack: str = "fgsm") -> Path:
    """Records of one network under one attack."""
    system = dataclasses.replace(IDENTITY.system, digest=digest, options={"mirror": mirror})
    condition = Condition("attack", attack, {"type": attack})
    return evaluation(folder, attack=attack, condition=condition, system=system).directory


def dice(of: Contents, system: str, label: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of every case, clean or under the worst case."""
    kind = "worst case" if label else "clean"
    row = next(r for r in of.rows_of(system, (kind,)) if r.condition.label == label)  # type: ignore[arg-type]
    return np.array([np.mean([value for value in case.values["Dice"] if value is not None]) for case in row.cases])


def test_a_name_says_recipe_and_training_where_there_are_several() -> None:
    assert trainings_among(["a#0", "b", "a#1", "c#1", "#2", "a#", "d#e#0", "d#e#1"]) == {
        "a#0": ("a", "0"),
        "a#1": ("a", "1"),
        "d#e#0": ("d#e", "0"),
        "d#e#1": ("d#e", "1"),
    }


@pytest.mark.parametrize("label", ["", "4/255", "8/255"])
def test_values_are_means_over_trainings_of_means_over_cases(label: str) -> None:
    of = made()
    found = {value.recipe: value for value in values_over_trainings(of) if value.label == (label or "clean")}
    assert set(found) == {"standard", "Free AT"}
    for recipe, value in found.items():
        means = {training: dice(of, f"{recipe}#{training}", label).mean() for training in "012"}
        assert value.means == pytest.approx(means)
        expected = np.mean(list(means.values())), min(means.values()), max(means.values())
        assert (value.mean, value.least, value.most) == pytest.approx(expected)
        assert value.cases == 6


def test_differences_are_of_trainings_of_one_number() -> None:
    of = made()
    found = differences_over_trainings(of, comparisons(of))
    assert {(d.recipe, d.minus, d.label) for d in found} == {
        ("Free AT", "standard", label) for label in ("clean", "4/255", "8/255")
    }
    at = next(d for d in found if d.label == "8/255")
    expected = {t: (dice(of, f"Free AT#{t}", "8/255") - dice(of, f"standard#{t}", "8/255")).mean() for t in "012"}
    assert at.means == pytest.approx(expected)
    assert at.least < 0 < at.most


def test_the_order_of_the_networks_turns_no_sign() -> None:
    of = made()
    mixed = [of.systems[index] for index in (3, 1, 2, 0, 4, 5, 6)]  # Free AT#2 first, standard#2 after it
    turned = dataclasses.replace(of, systems=tuple(mixed))
    found = {d.label: d for d in differences_over_trainings(turned, comparisons(turned))}
    assert {(d.recipe, d.minus) for d in found.values()} == {("standard", "Free AT")}
    straight = {d.label: d for d in differences_over_trainings(of, comparisons(of))}
    assert found["8/255"].means == pytest.approx({t: -value for t, value in straight["8/255"].means.items()})


def test_trainings_of_other_numbers_are_not_compared_one_by_one() -> None:
    pairs = {(c.first, c.second) for c in comparisons(made())}
    assert ("standard#0", "Free AT#0") in pairs
    assert ("standard#0", "Free AT#1") not in pairs
    assert ("standard#0", "standard#1") not in pairs
    assert ("standard#0", "other#7") in pairs  # one training is a network as any other


def test_other_attacks_do_not_enter_a_mean() -> None:
    of = made()
    rows = [
        dataclasses.replace(r, condition=dataclasses.replace(r.condition, recipe=f"{r.condition.name}, 99 iterations"))
        if r.system == "Free AT#1" and r.condition.kind == "attack"
        else r
        for r in of.rows
    ]
    of = dataclasses.replace(of, rows=tuple(rows))
    value = next(v for v in values_over_trainings(of) if v.recipe == "Free AT" and v.label == "8/255")
    difference = next(d for d in differences_over_trainings(of, comparisons(of)) if d.label == "8/255")
    assert set(value.means) == set(difference.means) == {"0", "2"}
    table = next(table for table in report_tables(of) if table.name == "trainings")
    assert any(note.startswith("Attacks differ: standard#1 and Free AT#1") for note in table.notes)


def test_tables_and_page_say_it() -> None:
    of = made()
    tables = {table.name: table for table in report_tables(of)}
    row = next(row for row in tables["trainings"].rows if row[0] == "Free AT" and row[2] == "8/255")
    value = next(v for v in values_over_trainings(of) if v.recipe == "Free AT" and v.label == "8/255")
    assert row == ("Free AT", "Linf", "8/255", 3, 6, value.mean, value.least, value.most)
    assert len(tables["training_differences"].rows) == 3
    page = render_page(of)
    assert "Over several trainings" in page
    assert f">{value.least:.3f}<" in page
    alone = contents(num_cases=6, num_volumes=0)
    assert not {"trainings", "training_differences"} & {table.name for table in report_tables(alone)}
    assert "Over several trainings" not in render_page(alone)


def test_one_training_is_a_limit_until_every_network_has_another(tmp_path: Path) -> None:
    folders = {name: [trained(tmp_path / name, name)] for name in ("a#0", "a#1", "b")}
    told = [
        any(limit.startswith("One training run of each network") for limit in contents_of(given, tmp_path).limits)
        for given in (folders, {name: folders[name] for name in ("a#0", "b")}, {n: folders[n] for n in ("a#0", "a#1")})
    ]
    assert told == [True, True, False]


def test_one_training_that_is_used_in_two_ways_is_one_training(tmp_path: Path) -> None:
    both = {
        f"at#{t}": [trained(tmp_path / f"{t}{mirror}", f"{t}" * 9, mirror=mirror) for mirror in (False, True)]
        for t in "01"
    }
    of = contents_of({"at#0": both["at#0"], "b": [trained(tmp_path / "b", "b")]}, tmp_path)
    assert [system.name for system in of.systems] == ["at (mirror false)#0", "at (mirror true)#0", "b"]
    assert values_over_trainings(of) == ()
    assert any(limit.startswith("One training run") for limit in of.limits)
    of = contents_of(both, tmp_path)
    assert [system.name for system in of.systems] == [
        f"at (mirror {mirror})#{t}" for t in "01" for mirror in ("false", "true")
    ]
    found = {(value.recipe, value.label): set(value.means) for value in values_over_trainings(of)}
    assert found == {(f"at (mirror {m})", at): {"0", "1"} for m in ("false", "true") for at in ("clean", "8/255")}
    # Of the other training one of the two ways alone: it is of that recipe.
    of = contents_of({"at#0": both["at#0"], "at#1": both["at#1"][:1]}, tmp_path)
    assert {value.recipe for value in values_over_trainings(of)} == {"at (mirror false)"}
    with pytest.raises(ValueError, match="at#0 and at#1 have the same weights"):
        contents_of({"at#0": both["at#0"], "at#1": both["at#0"][:1]}, tmp_path)


def test_pairs_that_met_other_attacks_than_other_pairs_do_not_share_a_mean(tmp_path: Path) -> None:
    of = contents_of(
        {
            f"{recipe}#{t}": [trained(tmp_path / f"{recipe}{t}", f"{recipe}{t}", attack=attack)]
            for recipe in ("at", "std")
            for t, attack in (("0", "fgsm"), ("1", "apgd"))
        },
        tmp_path,
    )
    tables = {table.name: table for table in report_tables(of)}
    assert {row[2] for row in tables["trainings"].rows} == {"clean"}
    assert {row[3] for row in tables["training_differences"].rows} <= {"clean"}
    assert any(
        note.startswith("Trainings of at did not all meet the same attacks") for note in tables["trainings"].notes
    )
