"""Networks with planted faults are noticed, sound ones are left in peace."""

import dataclasses

import pytest
import torch
from torch import Tensor

from rogseg.attacks import DiceBelow, LinfThreat, Strongest
from rogseg.attacks.sanity_checks import run_checks
from rogseg.cases import Case
from rogseg.findings import SanityFinding
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


def test_attacks_that_follow_a_useless_gradient_are_beaten_by_square() -> None:
    findings = checked(networks.DEFECTS["useless gradient"](networks.sound("tanh")), SMALL)
    assert findings["white-box attacks are at least as strong as Square"].level == "failed"
    assert findings["an almost unbounded attack breaks the model"].level == "failed"


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
