import dataclasses
from pathlib import Path
from typing import Literal

import pytest

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import BAD_GRADIENTS, NOT_LOOKED_AT, STRONGER_CHECKS, Level
from rogseg.report.contents import Contents, Finding, Strength, ThreatText
from rogseg.report.records.contents import contents_of
from rogseg.report.verdict import verdict_of
from tests.identities import dice_record, identity_with
from tests.unit.report.synthetic import contents


def with_values(clean: float, attacked: float, num_cases: int = 6) -> Contents:
    made = contents(num_cases, systems=("net",), attacks=("pgd",), epsilons=(8,), num_volumes=0)
    rows = []
    for row in made.rows:
        level = clean if row.condition.kind == "clean" else attacked
        cases = tuple(
            dataclasses.replace(
                case, values={"Dice": (level + index * 1e-3,)}, fell=None if level == clean else index < 2
            )
            for index, case in enumerate(row.cases)
        )
        rows.append(dataclasses.replace(row, cases=cases))
    good = Finding("net", "check", "ok", "seen", "")
    return dataclasses.replace(made, rows=tuple(rows), findings=(good,), classes=made.classes[:1])


@pytest.mark.parametrize(
    ("attacked", "tone", "words"),
    [
        (0.79, "holds", "nearly all"),
        (0.72, "holds", "small part"),
        (0.60, "loses", "noticeable part"),
        (0.40, "loses", "large part"),
        (0.20, "fails", "most of"),
        (0.05, "fails", "fails"),
    ],
)
def test_the_word_goes_with_the_loss(attacked: float, tone: str, words: str) -> None:
    verdict = verdict_of(with_values(0.8, attacked), "net")
    assert verdict.tone == tone
    assert words in verdict.sentence


def test_the_sentence_holds_its_numbers() -> None:
    sentence = verdict_of(with_values(0.8, 0.4), "net").sentence
    for part in ("8/255", "3.14%", "12.5 HU", "0.80", "0.40", "95% interval", "6 cases", "2 of 6 fall below half"):
        assert part in sentence
    assert sentence.endswith(".")


def test_like_is_compared_with_like() -> None:
    made = with_values(0.8, 0.4)
    clean, attacked = made.rows
    some = dataclasses.replace(attacked, cases=attacked.cases[:5])
    high = tuple(
        dataclasses.replace(case, values={"Dice": (1.0,)}) if index == 5 else case
        for index, case in enumerate(clean.cases)
    )
    verdict = verdict_of(dataclasses.replace(made, rows=(dataclasses.replace(clean, cases=high), some)), "net")
    assert verdict.clean.value == pytest.approx(0.802)
    assert verdict.clean.cases == 5


@pytest.mark.parametrize(("level", "tone"), [("ok", "holds"), ("warning", "holds"), ("failed", "unsure")])
def test_a_failed_check_takes_the_green_away(level: Level, tone: str) -> None:
    made = dataclasses.replace(with_values(0.8, 0.79), findings=(Finding("net", "a check", level, "", ""),))
    verdict = verdict_of(made, "net")
    assert verdict.tone == tone
    assert any("1 of 1 sanity check has failed" in caution for caution in verdict.cautions) == (level == "failed")


def test_a_verdict_is_not_green_where_the_checks_found_more_than_the_attacks() -> None:
    undercut = Finding("net", STRONGER_CHECKS, "warning", "mean Dice 0.7900 on record, 0.0180 in the checks", "")
    verdict = verdict_of(dataclasses.replace(with_values(0.8, 0.79), findings=(undercut,)), "net")
    assert verdict.tone == "unsure"
    assert any("less is left than it says: mean Dice 0.7900" in caution for caution in verdict.cautions)


def test_where_nothing_was_looked_at_nothing_is_green() -> None:
    unseen = Finding("net", NOT_LOOKED_AT, "warning", "a tenth of 3 passes allows no check", "")
    verdict = verdict_of(dataclasses.replace(with_values(0.8, 0.79), findings=(unseen,)), "net")
    assert verdict.tone == "unsure"
    assert any("too short for a check of the gradients" in caution for caution in verdict.cautions)


def test_what_makes_one_hesitate_is_said() -> None:
    made = with_values(0.8, 0.79, num_cases=3)
    cautions = " ".join(verdict_of(dataclasses.replace(made, findings=()), "net").cautions)
    for part in ("No sanity check", "3 cases are too few", "A stronger attack may exist", "One attack was tried (pgd)"):
        assert part in cautions
    assert verdict_of(dataclasses.replace(made, findings=()), "net").tone == "unsure"
    note = "INCOMPLETE: pgd at 8/255 is over 3 of 6 cases."
    origins = tuple(dataclasses.replace(origin, notes=(note,)) for origin in made.origins)
    verdict = verdict_of(dataclasses.replace(made, origins=origins), "net")
    assert note in verdict.cautions[0]
    assert verdict.tone == "unsure"


def test_a_network_without_a_gradient_was_attacked_without_one() -> None:
    made = with_values(0.8, 0.79)
    blind = tuple(dataclasses.replace(one, differentiable=False) for one in made.systems)
    assert not any("white-box" in caution for caution in verdict_of(made, "net").cautions)
    cautions = verdict_of(dataclasses.replace(made, systems=blind), "net").cautions
    assert any(caution.startswith("No white-box attack was made") for caution in cautions)


def test_without_an_attack_nothing_is_said_of_robustness() -> None:
    made = with_values(0.8, 0.4)
    verdict = verdict_of(dataclasses.replace(made, rows=made.rows[:1]), "net")
    assert verdict.tone == "untested"
    assert "nothing about its robustness" in verdict.sentence


def with_another_threat(attacked: float, left: float) -> Contents:
    """Linf at 8/255, and L2 at 2/255 of an intensity range of 400 HU."""
    made = with_values(0.8, attacked)
    clean, row = made.rows
    share = 2 / 255
    condition = dataclasses.replace(row.condition, norm="L2", strength=share, label="L2 RMS 2/255")
    cases = tuple(dataclasses.replace(case, values={"Dice": (left,)}) for case in row.cases)
    l2 = ThreatText("L2", "", (Strength(share, "L2 RMS 2/255", "0.8%", "0.1", "80 HU"),))
    rows = (clean, row, dataclasses.replace(row, condition=condition, cases=cases))
    return dataclasses.replace(made, rows=rows, threats=(*made.threats, l2))


def test_every_threat_model_is_told_and_any_of_them_takes_the_green_away() -> None:
    held = verdict_of(with_another_threat(0.79, 0.78), "net")
    assert (held.tone, held.cautions[0]) == (
        "holds",
        "In the threat model L2 its Dice goes from 0.80 to 0.78 at L2 RMS 2/255 on 6 cases.",
    )
    fallen = verdict_of(with_another_threat(0.79, 0.2), "net")
    assert fallen.tone == "unsure"
    assert "from 0.80 to 0.20" in fallen.cautions[0]
    assert verdict_of(with_another_threat(0.2, 0.78), "net").tone == "fails"


@pytest.mark.parametrize("name", ["pgd: more epsilon is not weaker", BAD_GRADIENTS])
def test_where_only_the_records_were_asked_a_network_does_not_hold(name: str) -> None:
    made = dataclasses.replace(with_values(0.8, 0.79), findings=(Finding("net", name, "ok", "", ""),))
    verdict = verdict_of(made, "net")
    assert verdict.tone == "unsure"
    assert "a masked gradient would not have been noticed" in " ".join(verdict.cautions)


def test_a_root_mean_square_is_worded_as_one() -> None:
    made = with_another_threat(0.79, 0.2)
    sentence = verdict_of(dataclasses.replace(made, threats=made.threats[1:]), "net").sentence
    assert sentence.startswith(
        "When the image may be changed by a root mean square of up to 2/255 of the intensity range (0.8%), single "
        "voxels by more (at most 80 HU here), this network"
    )


def test_epsilon_in_another_unit_is_no_share_of_the_range() -> None:
    made = with_values(0.8, 0.4)
    (threat,) = made.threats
    in_raw = dataclasses.replace(threat.strengths[0], label="12 HU", fraction="")
    made = dataclasses.replace(made, threats=(dataclasses.replace(threat, strengths=(in_raw,)),))
    assert "changed by up to 12 HU (at most 12.5 HU here)" in verdict_of(made, "net").sentence


def test_a_verdict_on_raw_epsilons_is_on_the_largest_and_not_the_weakest(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path, identity_with("threat.unit", "raw"))
    for case_id in ("a", "b"):
        folder.add(dice_record(case_id, CLEAN, (0.9, 0.9)))
        for units, dice in ((1.0, 0.89), (20.0, 0.05)):
            folder.add(dice_record(case_id, "apgd_ce", (dice, dice), units, success=dice < 0.4))
    verdict = verdict_of(contents_of([tmp_path], tmp_path), "best")
    assert verdict.tone == "fails"
    assert "changed by up to 20 HU" in verdict.sentence


def test_a_network_that_finds_little_is_not_praised_for_losing_little() -> None:
    made = with_values(0.3, 0.29)
    made = dataclasses.replace(made, measures=(dataclasses.replace(made.measures[0], bounds=(0.0, 1.0)),))
    poor = verdict_of(made, "net")
    assert poor.tone == "unsure"
    assert poor.cautions[0] == "It reaches only 0.30 on unchanged images, so it has little to lose."
    assert verdict_of(with_values(0.3, 0.01), "net").tone == "fails"


@pytest.mark.parametrize("better", ["lower", "zero"])
def test_of_a_measure_that_is_best_low_nothing_is_kept(better: Literal["lower", "zero"]) -> None:
    made = with_values(0.2, 0.9)
    distance = dataclasses.replace(made.measures[0], label="HD95", better=better)
    verdict = verdict_of(dataclasses.replace(made, measures=(distance,)), "net")
    assert (verdict.headline, verdict.tone) == ("has no verdict", "untested")
    assert "HD95, of which more is not better" in verdict.sentence
