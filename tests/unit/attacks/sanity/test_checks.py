import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rogseg.attacks import sanity_checks
from rogseg.attacks.sanity_checks import local_checks
from rogseg.attacks.sanity_checks.local_look import LOOK_PASSES, LocalLook, look_around
from rogseg.attacks.sanity_checks.run import Budget
from rogseg.cases import IntensityBox
from rogseg.findings import Level, SanityFinding

BOX = IntensityBox.per_channel([-2.0], [2.0])


def noise(seed: int = 0) -> Tensor:
    return torch.randn((2, 3, 4, 4, 2), generator=torch.Generator().manual_seed(seed))


def test_probabilities_are_told_from_logits() -> None:
    assert local_checks.check_logits(noise()).passed
    finding = local_checks.check_logits(noise().softmax(1))
    assert finding.level == "failed"
    assert "softmax" in finding.seen
    assert not local_checks.check_logits(noise().sigmoid()).passed


def test_clamped_logits_are_told_from_those_of_constant_air() -> None:
    inputs = noise(1)[:1, :1]
    logits = noise()[:1]
    assert local_checks.check_clamped(inputs, logits).passed
    assert not local_checks.check_clamped(inputs, logits.clamp(max=0.5)).passed
    air = inputs.clone()
    air[..., :2, :] = -5.0
    alike = logits.clone()
    alike[..., :2, :] = logits.amax() + 1
    assert local_checks.check_clamped(air, alike).passed


def test_saturation_is_that_of_the_predicted_foreground() -> None:
    logits = torch.zeros(1, 2, 4, 4, 2)
    logits[:, 0] = 50.0
    assert local_checks.check_saturation([dataclasses.replace(look(), logits=logits)]).level == "failed"
    logits[:, 1, 0] = 51.0  # eight voxels of foreground
    assert local_checks.check_saturation([dataclasses.replace(look(), logits=logits)]).level == "ok"
    logits[:, 1, 0, 0] = 80.0  # two of them
    logits[:, 1, 0, 1, :1] = 80.0  # three
    assert local_checks.check_saturation([dataclasses.replace(look(), logits=logits)]).level == "warning"


def quadratic(inputs: Tensor) -> Tensor:
    return torch.cat([-3 * inputs, inputs.square()], dim=1)


def look() -> LocalLook:
    inputs = (0.3 * noise()[:1, :1]).clamp(-2, 2)
    return look_around(quadratic, inputs, (inputs[:, 0] > 0).long(), BOX)


def test_a_look_takes_as_many_passes_as_it_says() -> None:
    calls = []

    def counting(inputs: Tensor) -> Tensor:
        calls.append(inputs.requires_grad)
        return quadratic(inputs)

    look_around(counting, noise()[:1, :1].clamp(-2, 2), torch.zeros(1, 4, 4, 2, dtype=torch.int64), BOX)
    assert len(calls) + sum(calls) == LOOK_PASSES


def test_a_smooth_network_keeps_its_promises_and_proportions() -> None:
    seen = look()
    assert seen.small_share == pytest.approx(1, abs=0.05)
    assert seen.small_change / seen.tiny_change == pytest.approx(10, abs=0.5)
    for check in (
        local_checks.check_linear, local_checks.check_smooth, local_checks.check_promise, local_checks.check_gradients,
        local_checks.check_deterministic,
    ):  # fmt: skip
        assert check([seen, seen]).level == "ok"


NAN = float("nan")


@pytest.mark.parametrize(
    ("check", "field", "levels"),
    [
        (local_checks.check_linear, "small_share", {0.8: "ok", 0.5: "warning", 2.0: "warning", NAN: "failed"}),
        (local_checks.check_linear, "small_share", {0.06: "failed", -2.0: "failed", 1560.0: "failed"}),
        (local_checks.check_linear, "tiny_share", {1.02: "ok", 1.2: "warning", 0.8: "warning", NAN: "warning"}),
        (local_checks.check_promise, "share_of_both", {1.1: "ok", 2.0: "warning", 0.1: "failed", NAN: "failed"}),
        (local_checks.check_promise, "large_share", {3.0: "ok", 0.05: "warning", -0.1: "failed", NAN: "failed"}),
        (local_checks.check_smooth, "small_change", {0.01: "ok", 0.001: "warning", 0.1: "warning"}),
    ],
)
def test_the_worst_case_decides(
    check: Callable[[list[LocalLook]], SanityFinding], field: str, levels: dict[float, Level]
) -> None:
    sound = dataclasses.replace(look(), tiny_change=0.001, small_change=0.01)
    for value, level in levels.items():
        changed = dataclasses.replace(sound, **{field: value})  # type: ignore[arg-type]
        assert check([sound, changed, sound]).level == level, value


def test_zero_gradients_are_counted() -> None:
    sound = look()
    assert sound.gradient is not None
    half = sound.gradient.clone()
    half[..., :1, :, :] = 0
    blind = dataclasses.replace(sound, gradient=torch.zeros_like(half))
    assert local_checks.check_gradients([dataclasses.replace(sound, gradient=half)]).passed
    finding = local_checks.check_gradients([sound, blind, blind])
    assert finding.level == "failed"
    assert f"{2 * half.numel()} of {3 * half.numel()}" in finding.seen
    away = local_checks.check_gradients([dataclasses.replace(sound, gradient_after=torch.zeros_like(half))])
    assert away.level == "failed"
    assert f"after a step of 2/255 of the box's width {half.numel()} and 0" in away.seen
    half[..., 1, 0, 0] = torch.nan
    assert not local_checks.check_gradients([dataclasses.replace(sound, gradient=half)]).passed


def test_square_must_not_win() -> None:
    white = torch.tensor([0.2, 0.5, torch.nan])
    check = sanity_checks.check_square_against_white_box
    assert check(torch.tensor([0.2, 0.7, torch.nan]), white).level == "ok"
    assert check(torch.tensor([0.9, 0.4, torch.nan]), white).level == "warning"
    finding = check(torch.tensor([0.1, 0.4, torch.nan]), white)
    assert finding.level == "failed"
    assert "2 of 3" in finding.seen


def test_the_record_must_not_be_undercut() -> None:
    check = sanity_checks.check_recorded
    recorded = torch.tensor([0.2, 0.5, torch.nan])
    assert check(torch.tensor([0.2, 0.495, 0.0]), recorded).level == "ok"
    assert check(torch.tensor([0.1, 0.5, 0.0]), recorded).level == "warning"
    assert check(torch.tensor([0.1, 0.5, 0.0]), recorded, torch.tensor([0.06, 0.06, 0.06])).level == "ok"
    assert "0.3500 under the attacks on record, 0.3000 under" in check(torch.tensor([0.1, 0.5, 0.0]), recorded).seen


def test_budgets_are_compared_in_their_order() -> None:
    assert sanity_checks.check_more_budget("epsilon", {0.03: 0.2, 0.01: 0.5, 0.02: 0.505}).passed is True
    assert sanity_checks.check_more_budget("epsilon", {0.03: 0.6, 0.01: 0.5}).passed is False


def test_nothing_that_happens_large_epsilon_and_transfer() -> None:
    clean = torch.tensor([0.8, torch.nan])
    assert sanity_checks.check_near_clean(clean, torch.tensor([0.7, torch.nan]), 20).level == "ok"
    assert sanity_checks.check_near_clean(clean, torch.tensor([0.79, torch.nan]), 20).level == "warning"
    robust = sanity_checks.check_near_clean(clean, torch.tensor([0.79, torch.nan]), 20, gradient_holds=True)
    assert robust.level == "ok"
    assert sanity_checks.check_near_clean(torch.tensor([0.0]), torch.tensor([0.0]), 20).level == "ok"
    assert sanity_checks.check_large_epsilon(torch.tensor([0.0, 0.04]), 1.0).passed
    assert not sanity_checks.check_large_epsilon(torch.tensor([0.3, torch.nan]), 1.0).passed
    assert sanity_checks.check_transfer(torch.tensor([0.6]), torch.tensor([0.4])).passed
    assert not sanity_checks.check_transfer(torch.tensor([0.3]), torch.tensor([0.4])).passed


@pytest.mark.parametrize("attack_passes", [0, 69, 70, 250, 500, 2200, 9600, 100_000])
def test_the_quick_checks_keep_to_a_tenth(attack_passes: int) -> None:
    budget = Budget.of("quick", 12, attack_passes)
    assert budget.passes <= attack_passes / 10
    assert (budget.looks > 0) == (attack_passes >= 70)


def test_findings_survive_json_and_older_ones_are_read() -> None:
    finding = SanityFinding("name", "warning", "seen", "meaning")
    assert SanityFinding.from_json(dataclasses.asdict(finding)) == finding
    older = {"name": "name", "passed": False, "seen": "seen", "meaning": "meaning"}
    assert SanityFinding.from_json(older) == dataclasses.replace(finding, level="failed")
    assert SanityFinding.from_json({**older, "passed": True}).passed
