import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from rogseg.attacks import (
    APGD,
    PGD,
    AttackResult,
    Composite,
    DiceBelow,
    LinfThreat,
    Perturbation,
    Problem,
    ThreatModel,
)
from rogseg.attacks.base import Attack
from rogseg.cases import Case, IntensityBox, case_generator
from rogseg.engine.attacking.case_attacker import CaseAttacker
from rogseg.engine.attacking.loop import AttackLoop
from rogseg.engine.attacking.measured_case import scored_model
from rogseg.evaluation.case_record import CLEAN, TARGET_VOLUME, WORST_CASE
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice
from rogseg.systems import foreground_window
from tests.identities import identity_with

IDS = ["a", "b", "c"]


def model(inputs: Tensor) -> Tensor:
    """Foreground where the intensity is above 0."""
    return torch.cat([-inputs[:, :1], inputs[:, :1]], dim=1)


def make_case(case_id: str) -> Case:
    """A block of foreground at 0.1, background at -0.1: epsilon over 0.05 of the box of width 2 turns every voxel."""
    targets = torch.zeros(1, 6, 6, 6, dtype=torch.long)
    if case_id != "empty":
        targets[:, 1:4, 1:4, 1 : 3 + IDS.index(case_id)] = 1
    inputs = torch.where(targets[:, None] == 1, 0.1, -0.1)
    box = IntensityBox.per_channel([-1.0], [1.0])
    return Case(case_id, inputs, targets, box, raw_width=(400.0,))


def threat(epsilon: float, case: Case) -> ThreatModel:
    return LinfThreat.from_fraction(epsilon, case.box)


def loop_on(directory: Path, attack: Attack | None = None, **keywords: Any) -> AttackLoop:
    identity = dataclasses.replace(identity_with("condition.name", "pgd"), seed=keywords.get("seed", 0))
    records = RecordFolder(directory, dataclasses.replace(identity, classes=("organ",), data=dict.fromkeys(IDS, "0")))
    attack = attack or PGD(objective={"type": "CrossEntropy"}, num_iterations=4)
    return AttackLoop(CaseAttacker(model, attack, "pgd", threat, make_case, [Dice()], [(1,)], **keywords), records)


def lines(directory: Path) -> list[dict[str, Any]]:
    """All records without their times."""
    content = [json.loads(line) for line in (directory / "records.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key not in ("seconds", "crc")} for entry in content]


def test_every_case_is_on_record_with_distances_in_three_units(tmp_path: Path) -> None:
    loop = loop_on(tmp_path)
    mean_clean = loop.run_clean(IDS)
    assert mean_clean == 1.0
    loop.run(IDS, [0.04, 0.06], DiceBelow(mean_clean / 2))
    weak, strong = loop.records.under("pgd", 0.04), loop.records.under("pgd", 0.06)
    assert [weak[case_id].success for case_id in IDS] == [False] * 3
    assert [strong[case_id].success for case_id in IDS] == [True] * 3
    assert strong["a"].dice == (0.0,)
    assert strong["a"].dice_clean == (1.0,)
    assert strong["a"].distance_fraction == pytest.approx(0.06, abs=1e-6)
    assert strong["a"].distance_network == pytest.approx((0.12,), abs=1e-6)
    assert strong["a"].distance_raw == pytest.approx((24.0,), abs=1e-3)
    assert strong["a"].num_forward >= 4
    # Every voxel moved by 0.06 of the width.
    assert strong["a"].visibility["PSNR"] == pytest.approx(-20 * math.log10(0.06), abs=1e-3)
    assert 0 < strong["a"].visibility["SSIM"] < weak["a"].visibility["SSIM"] < 1
    assert not strong["a"].stopped


def test_the_size_of_the_target_stands_with_the_clean_case(tmp_path: Path) -> None:
    loop = loop_on(tmp_path)
    loop.attacker.load_case = lambda case_id: dataclasses.replace(make_case(case_id), spacing=(1.0, 2.0, 5.0))
    loop.run_clean(IDS)
    # 3 x 3 x 2, 3 and 4 voxels of 10 cubic millimetres.
    volumes = [loop.records.clean()[case_id].measures[TARGET_VOLUME] for case_id in IDS]
    assert volumes == [pytest.approx((0.18,)), pytest.approx((0.27,)), pytest.approx((0.36,))]


class KilledError(Exception):
    """Stands for kill -9."""


def test_after_a_kill_the_records_are_those_of_an_uninterrupted_run(tmp_path: Path) -> None:
    def kill(case: Case, epsilon: float, result: AttackResult) -> None:
        if case.case_id == "b":
            raise KilledError

    whole = loop_on(tmp_path / "whole", seed=5)
    whole.run(IDS, [0.06], DiceBelow(whole.run_clean(IDS) / 2))
    killed = loop_on(tmp_path / "killed", seed=5, on_result=kill)
    with pytest.raises(KilledError):
        killed.run(IDS, [0.06], DiceBelow(killed.run_clean(IDS) / 2))
    seen: list[str] = []
    resumed = loop_on(tmp_path / "killed", seed=5, on_result=lambda case, *_: seen.append(case.case_id))
    assert resumed.count_done(IDS, [0.06]) == 1
    resumed.run(IDS, [0.06], DiceBelow(resumed.run_clean(IDS) / 2))
    assert seen == ["b", "c"]
    assert lines(tmp_path / "killed") == lines(tmp_path / "whole")


def test_results_do_not_depend_on_the_order_of_the_cases(tmp_path: Path) -> None:
    attack = APGD(objective={"type": "CrossEntropy"}, num_iterations=3)
    forward, backward = loop_on(tmp_path / "f", attack), loop_on(tmp_path / "b", attack)
    forward.run(IDS, [0.03], DiceBelow(forward.run_clean(IDS) / 2))
    backward.run(IDS[::-1], [0.03], DiceBelow(backward.run_clean(IDS[::-1]) / 2))
    for case_id in IDS:
        left, right = (loop.records.under("pgd", 0.03)[case_id] for loop in (forward, backward))
        assert dataclasses.replace(left, seconds=0.0) == dataclasses.replace(right, seconds=0.0)


class Faint(Attack):
    """Finds everything in a small ball and nothing in a large one."""

    def __init__(self) -> None:
        super().__init__({"type": "CrossEntropy"})

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        small = float(problem.threat.epsilon.max()) < 0.125
        towards_wrong = -problem.inputs.sign() * problem.threat.epsilon
        return Perturbation(problem.inputs + towards_wrong if small else problem.inputs)


def test_more_epsilon_is_never_on_record_as_less_and_a_late_epsilon_does_not_change_that(tmp_path: Path) -> None:
    loop = loop_on(tmp_path / "whole", Faint())
    mu = loop.run_clean(IDS)
    loop.run(IDS, [0.07, 0.06], DiceBelow(mu / 2))
    small, large = loop.records.under("pgd", 0.06)["b"], loop.records.under("pgd", 0.07)["b"]
    assert (small.success, large.success) == (True, True)
    assert large.dice == small.dice == (0.0,)
    assert large.distance_fraction == small.distance_fraction == pytest.approx(0.06, abs=1e-6)
    # A larger epsilon that is asked for later begins with the smaller one, which is not recorded twice.
    late = loop_on(tmp_path / "late", Faint())
    late.run_clean(IDS)
    late.run(IDS, [0.06], DiceBelow(mu / 2))
    late.run(IDS, [0.06, 0.07], DiceBelow(mu / 2))
    assert late.records.under("pgd", 0.07)["b"].success is True
    assert late.count_done(IDS, [0.06, 0.07]) == 6


def test_a_limit_stops_a_search_and_the_record_says_so(tmp_path: Path) -> None:
    loop = loop_on(tmp_path, max_passes=4)
    loop.run(["a"], [0.04], DiceBelow(loop.run_clean(["a"]) / 2))
    record = loop.records.under("pgd", 0.04)["a"]
    assert record.stopped
    assert record.num_forward + record.num_backward <= 4


def test_members_of_a_composite_are_recorded_one_by_one(tmp_path: Path) -> None:
    still = {"type": "PGD", "objective": {"type": "CrossEntropy"}, "num_iterations": 1, "step_size": 1e-6}
    pgd = {"type": "PGD", "objective": {"type": "CrossEntropy"}, "num_iterations": 4}
    pair = Composite({"still": {**still, "random_start": False}, "pgd": pgd})
    loop = loop_on(tmp_path, pair)
    loop.run(["a"], [0.06], DiceBelow(loop.run_clean(["a"]) / 2))
    assert loop.records.conditions() == ("still", "pgd")
    assert loop.records.has("a", WORST_CASE, 0.06)
    assert loop.records.under("still", 0.06)["a"].success is False
    assert loop.records.under("pgd", 0.06)["a"].success is True
    assert loop.count_done(["a"], [0.06]) == 1


@pytest.mark.parametrize("num_written", [4, 5])
def test_a_composite_killed_between_its_records_goes_on_with_each_on_record_once(
    tmp_path: Path, num_written: int
) -> None:
    pgd = {"type": "PGD", "objective": {"type": "CrossEntropy"}, "num_iterations": 2}
    pair = Composite({"first": pgd, "second": {**pgd, "num_iterations": 3}})
    whole = loop_on(tmp_path / "whole", pair)
    whole.run(["a"], [0.06], DiceBelow(whole.run_clean(IDS) / 2))
    # Three clean records come first; the kill falls between the members', or before the worst case's.
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "header.json").write_bytes((tmp_path / "whole" / "header.json").read_bytes())
    written = (tmp_path / "whole" / "records.jsonl").read_text().splitlines(keepends=True)
    assert len(written) == 6
    (tmp_path / "torn" / "records.jsonl").write_text("".join(written[:num_written]))
    resumed = loop_on(tmp_path / "torn", pair)
    resumed.run(["a"], [0.06], DiceBelow(resumed.run_clean(IDS) / 2))
    assert lines(tmp_path / "torn") == lines(tmp_path / "whole")


def test_a_case_without_foreground_has_no_verdict(tmp_path: Path) -> None:
    loop = loop_on(tmp_path)
    loop.run(["a", "empty"], [0.06], DiceBelow(loop.run_clean(["a", "empty"]) / 2))
    assert loop.records.clean()["empty"].mean_clean is None
    assert loop.records.under("pgd", 0.06)["empty"].success is None
    with pytest.raises(ValueError, match="none of the cases has foreground"):
        loop_on(tmp_path / "other").run_clean(["empty"])


def test_reserved_names_are_refused() -> None:
    attack = PGD(objective={"type": "CrossEntropy"})
    with pytest.raises(ValueError, match="cannot be called 'clean'"):
        CaseAttacker(model, attack, CLEAN, threat, make_case, [Dice()], [(1,)])
    members = Composite({"worst case": attack})
    with pytest.raises(ValueError, match="cannot be called 'worst case'"):
        CaseAttacker(model, members, "mine", threat, make_case, [Dice()], [(1,)])


def test_generators_differ_by_case_and_epsilon() -> None:
    draws = [
        torch.rand(1, generator=case_generator(seed, case_id, epsilon, "cpu")).item()
        for seed, case_id, epsilon in [(0, "a", 0.1), (0, "b", 0.1), (0, "a", 0.2), (1, "a", 0.1), (0, "a", 0.1)]
    ]
    assert len(set(draws)) == 4
    assert draws[0] == draws[4]


def test_the_patch_is_centred_on_the_foreground_and_lies_inside() -> None:
    label = torch.zeros(20, 10, 4, dtype=torch.uint8)
    label[14:16, 4:6, 1] = 1
    assert foreground_window(label, (6, 6, 8)) == (slice(12, 18), slice(2, 8), slice(0, 4))
    label[:] = 0
    label[19, 0, 0] = 1
    assert foreground_window(label, (6, 6, 8)) == (slice(14, 20), slice(0, 6), slice(0, 4))
    label[:] = 0
    assert foreground_window(label, (6, 6, 8)) == (slice(7, 13), slice(2, 8), slice(0, 4))


def test_what_does_not_count_is_neither_scored_nor_moved(tmp_path: Path) -> None:
    def load(case_id: str) -> Case:
        case = make_case(case_id)
        movable = torch.zeros(1, 1, 6, 6, 6, dtype=torch.bool)
        movable[..., :2] = True
        assert case.targets is not None
        return dataclasses.replace(case, movable=movable, targets=case.targets.masked_fill(~movable[:, 0], 0))

    case = load("c")
    scores = scored_model(model, case)(case.inputs)
    assert (scores[:, 0] > scores[:, 1])[..., 2:].all()
    moves: list[Tensor] = []
    loop = loop_on(tmp_path, on_result=lambda case, _, result: moves.append(result.adversarial - case.inputs))
    loop.attacker.load_case = load
    loop.attacker.make_threat = lambda epsilon, case: threat(epsilon, case).within(case.movable)  # type: ignore[arg-type]
    loop.run(["c"], [0.06], DiceBelow(loop.run_clean(["c"]) / 2))
    assert (moves[0][..., 2:] == 0).all()
    assert (moves[0][..., :2] != 0).any()
    assert loop.records.under("pgd", 0.06)["c"].dice == (0.0,)


def test_outputs_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    loop = loop_on(tmp_path)
    loop.attacker.model = lambda inputs: model(inputs) * torch.nan
    with pytest.raises(ValueError, match=r"case 'a': .*not finite"):
        loop.run_clean(["a"])
