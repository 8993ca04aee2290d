"""Networks with planted faults are noticed, sound ones are left in peace."""

import dataclasses

import pytest
import torch
from torch import Tensor

from rogseg.attacks import DiceBelow, LinfThreat, Square, Strongest
from rogseg.attacks.foreground import labels_dice
from rogseg.attacks.objectives import HardDice
from rogseg.attacks.sanity_checks import local_checks, run_checks
from rogseg.attacks.sanity_checks.run import Budget, Effort
from rogseg.cases import Case
from rogseg.engine.attacking.measured_case import scored_model
from rogseg.findings import NOT_LOOKED_AT, STRONGER_CHECKS, SanityFinding, not_examined
from rogseg.metrics import dice_per_class, mean_foreground_dice
from tests.unit.attacks.sanity import networks

SMALL, TINY = 2200, 140  # passes of a small and of a tiny evaluation, of which the quick checks take a tenth


def threat(epsilon: float, case: Case) -> LinfThreat:
    return LinfThreat.from_fraction(epsilon, case.box)


def checked(network: networks.Network, passes: int) -> dict[str, SanityFinding]:
    calls = []

    def counting(inputs: Tensor) -> Tensor:
        calls.append(1)
        return network(inputs)

    findings = run_checks(lambda _: counting, networks.cases(), threat, networks.EPSILON, "quick", passes)
    assert 0 < len(calls) <= passes / 10
    return {finding.name: finding for finding in findings}


@pytest.mark.parametrize("name", networks.SOUND)
def test_a_sound_network_is_not_flagged(name: str) -> None:
    network = networks.sound(name)
    for case in networks.cases():
        assert case.targets is not None
        clean = dice_per_class(network(case.inputs).argmax(1), case.targets, 3)
        assert float(mean_foreground_dice(clean)) > 0.9, "the network has learnt nothing, so nothing is shown"
    findings = checked(network, SMALL)
    assert len(findings) == 12
    assert [finding for finding in findings.values() if not finding.passed] == []


@pytest.mark.parametrize("defect", networks.DEFECTS)
def test_a_planted_fault_is_flagged_by_a_few_passes(defect: str) -> None:
    torch.manual_seed(0)
    findings = checked(networks.DEFECTS[defect](networks.sound("instance norm")), TINY)
    assert [finding for finding in findings.values() if not finding.passed]


@pytest.mark.parametrize(("effort", "passes"), [("full", 0), ("quick", SMALL), ("quick", TINY)])
def test_passes_are_told_up_to_about_their_number(effort: Effort, passes: int) -> None:
    told: list[tuple[int, int]] = []
    network = networks.sound("relu")
    cases = networks.cases(1)
    findings = run_checks(
        lambda _: network, cases, threat, networks.EPSILON, effort, passes, on_passes=lambda *now: told.append(now)
    )
    (begin, total), (done, _) = told[0], told[-1]
    assert begin == 0
    assert {of for _, of in told} == {total} == {Budget.of(effort, 1, passes).passes}
    assert 0.95 * total <= done <= total
    open_ = not_examined({finding.name for finding in findings})
    assert len(open_) == (3 if passes == TINY else 0)


def test_checks_without_a_pass_to_spare_say_what_was_not_examined_and_how_it_is() -> None:
    network = networks.sound("relu")
    (finding,) = run_checks(lambda _: network, networks.cases(1), threat, networks.EPSILON, "quick", 10)
    assert finding.name == NOT_LOOKED_AT
    assert "not examined" in finding.name
    assert "--sanity full" in finding.meaning
    before = {"name": "the network was looked at", "level": "warning", "seen": "", "meaning": ""}
    assert SanityFinding.from_json(before).name == NOT_LOOKED_AT
    assert len(not_examined([NOT_LOOKED_AT])) == len(not_examined(["apgd_ce: more epsilon is not weaker"])) == 4


def test_attacks_that_follow_a_useless_gradient_are_beaten_by_square() -> None:
    findings = checked(networks.DEFECTS["useless gradient"](networks.sound("tanh")), SMALL)
    assert findings["white-box attacks are at least as strong as Square"].level == "failed"
    assert findings["an almost unbounded attack breaks the model"].level == "failed"


def test_a_search_says_over_which_cases_and_at_which_epsilon() -> None:
    """Its Dice stand beside those of the evaluation, which are over others and at others."""
    cases = networks.cases(1)
    findings = run_checks(
        lambda _: networks.sound("relu"), cases, threat, networks.EPSILON, "quick", SMALL, label="8/255 of a box"
    )
    seen = {finding.name: finding.seen for finding in findings}
    assert "at 5 iterations" in seen["more iterations is not weaker"]
    assert seen["an almost unbounded attack breaks the model"].endswith("0.5 of the box's width, over 1 case")
    searches = ("more iterations", "many iterations", "white-box attacks")
    of_searches = [text for name, text in seen.items() if name.startswith(searches)]
    assert [text.endswith(", over 1 case at 8/255 of a box") for text in of_searches] == [True] * 3
    assert sum("over 1 case" in text for text in seen.values()) == 4


def test_nearly_the_whole_box_is_that_of_the_voxels_that_may_move() -> None:
    """A corner far from the organ: whatever it holds, the network finds the organ."""
    corner = torch.zeros(1, 1, 12, 12, 12, dtype=torch.bool)
    corner[..., :2, :2, :2] = True
    findings = run_checks(
        lambda _: networks.sound("tanh"),
        networks.cases(1),
        lambda epsilon, case: threat(epsilon, case).within(corner),
        networks.EPSILON,
        "quick",
        SMALL,
    )
    (finding,) = [one for one in findings if one.name == "an almost unbounded attack breaks the model"]
    assert finding.level == "failed"
    assert "mean Dice 0.9" in finding.seen


def test_voxels_that_do_not_count_are_not_clamped_logits() -> None:
    """Outside of a mask the scores say background, whatever the network says; within, the logits are its own."""
    counts = torch.zeros(1, 1, 12, 12, 12, dtype=torch.bool)
    counts[..., 2:11, 2:11, 2:11] = True
    masked = [
        dataclasses.replace(case, targets=torch.where(counts[:, 0], case.targets, 0), movable=counts)
        for case in networks.cases()
        if case.targets is not None
    ]
    findings = run_checks(
        lambda case: scored_model(networks.sound("relu"), case),
        masked,
        lambda epsilon, case: threat(epsilon, case).within(counts),
        networks.EPSILON,
        "quick",
        TINY,
    )
    assert [finding for finding in findings if not finding.passed] == []
    clamped = local_checks.check_clamped(
        masked[0].inputs, networks.sound("relu")(masked[0].inputs).clamp(-1, 1), counts
    )
    assert clamped.level == "failed"


def test_square_is_compared_by_the_dice_of_regions() -> None:
    """The evaluation's Dice are those of regions, which are higher here than those of the indices."""
    regions = ((1, 2), (2,))
    one = networks.cases(1)
    assert one[0].targets is not None
    result = Square(HardDice(), num_queries=23)(
        networks.sound("relu"), one[0].inputs, one[0].targets, threat(networks.EPSILON, one[0]), DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    by_index = float(result.mean_dice)
    by_region = float(mean_foreground_dice(labels_dice(result.prediction, one[0].targets, regions)))
    assert by_region > by_index + 0.05
    findings = run_checks(
        lambda _: networks.sound("relu"),
        one,
        threat,
        networks.EPSILON,
        "quick",
        340,
        white_box={"case_0": 0.0},
        classes=regions,
    )
    assert f"mean Dice {by_region:.4f} under Square" in findings[-1].seen


def test_a_network_that_moves_little_is_robust_where_its_gradient_keeps_its_promises() -> None:
    def far_apart(network: networks.Network) -> networks.Network:
        return lambda inputs: network((inputs - 1.4) / 5)

    robust = [dataclasses.replace(case, inputs=networks.BOX.clip(5 * case.inputs + 1.4)) for case in networks.cases()]
    findings = run_checks(
        lambda _: far_apart(networks.sound("relu")), robust, threat, networks.EPSILON / 8, "quick", SMALL
    )
    assert [finding for finding in findings if not finding.passed] == []


@pytest.mark.parametrize("name", networks.FLATTENED)
def test_flattened_outputs_hide_nothing_from_the_ensemble(name: str) -> None:
    """No check has to flag them: the same budget finds the same Dice."""
    case, network = networks.cases(1)[0], networks.sound("tanh")
    assert case.targets is not None
    dice = [
        float(
            Strongest(60)(
                one, case.inputs, case.targets, threat(networks.EPSILON, case), DiceBelow(0.4),
                generator=torch.Generator().manual_seed(0),
            ).mean_dice
        )
        for one in (network, networks.FLATTENED[name](network))
    ]  # fmt: skip
    assert dice[0] < 0.6
    assert dice[1] == pytest.approx(dice[0], abs=0.02)


@pytest.mark.parametrize(("claimed", "level"), [(0.99, "failed"), (0.0, "ok")])
def test_square_is_compared_with_the_attacks_of_the_evaluation(claimed: float, level: str) -> None:
    """A claim that every case keeps its Dice is refuted by a black box; one that none does is not."""
    blind = networks.DEFECTS["no gradient"](networks.sound("relu"))
    claims = {case.case_id: claimed for case in networks.cases()}
    findings = run_checks(lambda _: blind, networks.cases(), threat, networks.EPSILON, "quick", 400, white_box=claims)
    assert findings[-1].name == "white-box attacks are at least as strong as Square"
    assert findings[-1].level == level


@pytest.mark.parametrize(("recorded", "level"), [(0.99, "warning"), (0.0, "ok")])
def test_a_weak_attack_on_record_is_told(recorded: float, level: str) -> None:
    """What the checks find themselves is the upper bound of what is left, whatever was on record."""
    claims = {case.case_id: recorded for case in networks.cases()}
    findings = run_checks(
        lambda _: networks.sound("relu"), networks.cases(), threat, networks.EPSILON, "quick", SMALL, recorded=claims
    )
    assert [(finding.name, finding.level) for finding in findings if "on record" in finding.name] == [
        (STRONGER_CHECKS, level)
    ]


def test_one_step_alone_is_not_compared_with_a_black_box() -> None:
    """23 queries find less Dice on a sound network than one step of its gradient; what is known decides."""
    network = networks.sound("relu")
    findings = run_checks(lambda _: network, networks.cases(1), threat, networks.EPSILON, "quick", 340)
    assert [finding for finding in findings if not finding.passed] == []
    assert "Square" not in findings[-1].name


def test_no_effort_no_labels_and_no_passes() -> None:
    cases = networks.cases()

    def network(_: Case) -> networks.Network:
        return networks.sound("relu")

    assert run_checks(network, cases, threat, networks.EPSILON, "none", SMALL) == ()
    unlabelled = [dataclasses.replace(case, targets=None) for case in cases]
    assert run_checks(network, unlabelled, threat, networks.EPSILON, "quick", SMALL) == ()
    (finding,) = run_checks(network, cases, threat, networks.EPSILON, "quick", 60)
    assert finding.level == "warning"
    with pytest.raises(ValueError, match="none, quick, full"):
        run_checks(network, cases, threat, networks.EPSILON, "some", SMALL)  # type: ignore[arg-type]


def test_a_network_without_gradient_is_asked_for_its_outputs_alone() -> None:
    def detached(inputs: Tensor) -> Tensor:
        assert not inputs.requires_grad
        return networks.sound("relu")(inputs)

    findings = run_checks(
        lambda _: detached, networks.cases(), threat, networks.EPSILON, "quick", SMALL, has_gradient=False
    )
    assert [finding.level for finding in findings] == ["ok"] * 3
