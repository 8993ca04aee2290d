import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rogseg.attacks import APGD, DAG, FGSM, PGD, Attack, AttackResult, DiceBelow, L2Threat, LinfThreat, PAdam
from rogseg.attacks.best_iterate import BestIterate, replace_cases
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-2.0], [2.0])
THREAT = LinfThreat.from_fraction(0.1, BOX)


def batch(num_cases: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = 3 * torch.rand(num_cases, 1, 3, 3, 3, generator=generator) - 1.5
    return inputs, torch.randint(3, (num_cases, 3, 3, 3), generator=generator)


def wavy(inputs: Tensor) -> Tensor:
    """Three classes with many local maxima."""
    return torch.cat([torch.sin(9 * inputs), torch.cos(7 * inputs), inputs.square()], dim=1)


def run(attack: Attack, model: Callable[[Tensor], Tensor] = wavy, threat: ThreatModel = THREAT, seed: int = 0,
        start: Tensor | None = None) -> AttackResult:  # fmt: skip
    inputs, targets = batch()
    generator = torch.Generator().manual_seed(seed)
    return attack(model, inputs, targets, threat, DiceBelow(0.3), generator=generator, start=start)


def test_fgsm_is_one_signed_step() -> None:
    inputs, targets = batch()
    leaf = inputs.clone().requires_grad_()
    torch.nn.functional.cross_entropy(wavy(leaf), targets).backward()  # type: ignore[no-untyped-call]
    assert leaf.grad is not None
    result = run(FGSM())
    assert torch.allclose(result.adversarial, (inputs + 0.4 * leaf.grad.sign()).clamp(-2, 2))
    assert (result.num_forward, result.num_backward) == (2, 1)
    starts = [run(FGSM(random_start=True, step_size=1.25), seed=seed).adversarial for seed in (0, 0, 1)]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_pgd_walks_in_steps_of_its_size() -> None:
    """A linear objective, started at the inputs: two steps of a tenth of epsilon, each towards the wrong class."""
    inputs, _ = batch()
    result = run(
        PGD({"type": "Margin"}, num_iterations=2, step_size=0.1, random_start=False),
        model=lambda volume: torch.cat([-volume, volume, 0 * volume - 9], dim=1),
    )
    assert torch.allclose((result.adversarial - inputs).abs(), torch.full_like(inputs, 2 * 0.1 * 0.4), atol=1e-6)
    assert (result.num_forward, result.num_backward) == (4, 2)


@pytest.mark.parametrize("kind", [PGD, APGD])
def test_restarts_are_kept_whole_and_never_worse(kind: type[PGD] | type[APGD]) -> None:
    """Each case of three restarts is exactly the best one of the three runs, from the same starts."""
    inputs, _ = batch()
    generator = torch.Generator().manual_seed(5)
    starts = [THREAT.random_start(inputs, generator) for _ in range(3)]
    single = [run(kind(num_iterations=3), start=start) for start in starts]
    together = run(kind(num_iterations=3, num_restarts=3), seed=5)
    losses = torch.stack([result.loss for result in single])
    best = losses.argmax(0)
    for case in range(2):
        assert torch.equal(together.adversarial[case], single[int(best[case])].adversarial[case])
    assert torch.equal(together.loss, losses.amax(0))
    assert together.num_backward == sum(result.num_backward for result in single)


@pytest.mark.parametrize("kind", [PGD, APGD])
def test_select_dice_hands_back_the_lowest_dice(kind: type[PGD] | type[APGD]) -> None:
    lowest = run(kind(num_iterations=12, select="dice"))
    highest = run(kind(num_iterations=12))
    assert (lowest.mean_dice <= highest.mean_dice).all()
    assert (highest.loss >= lowest.loss).all()
    assert not torch.equal(lowest.adversarial, highest.adversarial)


@pytest.mark.parametrize("kind", [PGD, APGD])
@pytest.mark.parametrize("objective", ["SegPGD", "CosPGD", "MaskedCE", "JensenShannon", "SoftDice", "DLR"])
def test_every_objective_is_raised_by_its_ruler(kind: type[PGD] | type[APGD], objective: str) -> None:
    attack = kind({"type": objective}, num_iterations=8)
    inputs, targets = batch()
    clean = attack.objective.ruler(wavy(inputs), targets)
    assert (run(attack, start=inputs).loss > clean).all()


def test_apgd_finds_an_optimum_inside_the_ball_that_one_step_size_jumps_over() -> None:
    """Wrong class most likely at inputs + offset; a fixed step of half an epsilon ends within a quarter of one."""
    inputs, _ = batch()
    peak = (inputs + 0.3 * (torch.rand(inputs.shape, generator=torch.Generator().manual_seed(1)) - 0.5)).clamp(-2, 2)

    def model(volume: Tensor) -> Tensor:
        distance = (volume - peak).square()
        return torch.cat([distance, -distance, -distance - 9], dim=1)

    def away(attack: Attack) -> float:
        result = attack(model, inputs, torch.zeros(2, 3, 3, 3, dtype=torch.int64), THREAT, DiceBelow(0.3),
                        generator=torch.Generator().manual_seed(0), start=inputs)  # fmt: skip
        return float((result.adversarial - peak).abs().max())

    assert away(APGD(num_iterations=100)) < 0.02
    assert away(PGD(num_iterations=100, step_size=0.5)) > 0.05


@pytest.mark.parametrize("attack", [FGSM(), PGD(num_iterations=10), APGD(num_iterations=10)])
def test_l2_reaches_the_linear_optimum(attack: Attack) -> None:
    """One weight for every voxel: the optimum moves all by the same amount, epsilon of the width."""
    inputs, targets = torch.zeros(1, 1, 3, 3, 3), torch.ones(1, 3, 3, 3, dtype=torch.int64)
    threat = L2Threat.from_fraction(0.1, BOX)
    result = attack(lambda volume: torch.cat([-volume, volume], dim=1), inputs, targets, threat, DiceBelow(0.5),
                    generator=torch.Generator().manual_seed(0))  # fmt: skip
    best = 4 * 0.1
    assert float(-result.adversarial.mean()) >= 0.95 * best
    assert float(result.distance) <= 0.1 + 1e-6


@pytest.mark.parametrize("kind", [PGD, APGD])
def test_nothing_couples_the_cases_of_a_batch(kind: type[PGD] | type[APGD]) -> None:
    inputs, targets = batch()
    attack = kind(num_iterations=6)
    together = run(attack, start=inputs)
    for case in range(2):
        alone = attack(wavy, inputs[case, None], targets[case, None], THREAT, DiceBelow(0.3),
                       generator=torch.Generator(), start=inputs[case, None])  # fmt: skip
        assert torch.equal(alone.adversarial[0], together.adversarial[case])


@pytest.mark.parametrize("kind", [PGD, APGD])
def test_restarts_leave_fallen_cases_alone_where_that_is_asked_for(kind: type[PGD] | type[APGD]) -> None:
    """The first case has fallen before the first step and is attacked once; the second, which stands, three times."""
    inputs, targets = batch()
    labels = wavy(inputs).argmax(1)
    targets[0], targets[1] = (labels[0] + 1) % 3, labels[1]
    seen: list[int] = []

    def model(volume: Tensor) -> Tensor:
        seen.append(len(volume))
        return wavy(volume)

    threat = LinfThreat.from_fraction(1e-4, BOX)
    stopping = kind(num_iterations=3, num_restarts=3, stop_at_success=True)
    result = stopping(model, inputs, targets, threat, DiceBelow(0.5), generator=torch.Generator().manual_seed(3))
    assert result.success.tolist() == [True, False]
    runs = [size for size in seen if size == 1]
    assert len(runs) == 2 * 4  # two restarts of three iterations and a last look
    plain = kind(num_iterations=3, num_restarts=3)
    whole = plain(wavy, inputs, targets, threat, DiceBelow(0.5), generator=torch.Generator().manual_seed(3))
    assert torch.equal(whole.adversarial[1], result.adversarial[1])
    assert whole.loss[0] >= result.loss[0]


def pulled(weight: Tensor, volume: Tensor) -> Tensor:
    """Two classes, each voxel by a weight of its own."""
    return torch.cat([-weight * volume, weight * volume], dim=1)


def test_adam_moves_every_voxel_by_its_step_whatever_the_scale_of_its_gradient() -> None:
    """A linear model with weights from 1e-6 to 1: the first steps are one step size in each voxel."""
    inputs, targets = torch.zeros(1, 1, 1, 1, 4), torch.zeros(1, 1, 1, 4, dtype=torch.int64)
    for scale in (1.0, 1e-20):
        weight = scale * torch.tensor([1.0, -1e-2, 1e-4, 1e-3])
        attack = PAdam({"type": "Margin"}, num_iterations=2, step_size=0.1)
        result = attack(
            functools.partial(pulled, weight), inputs, targets, THREAT, DiceBelow(0.3),
            generator=torch.Generator(), start=inputs,
        )  # fmt: skip
        expected = 2 * 0.1 * 0.4 * weight.sign()
        assert torch.allclose(result.adversarial.flatten(), expected, rtol=2e-2)
    with pytest.raises(ValueError, match="LinfThreat"):
        run(PAdam(), threat=L2Threat.from_fraction(0.5, BOX))


def test_dag_moves_the_voxel_of_largest_gradient_by_gamma_and_leaves_lost_ones_alone() -> None:
    inputs = torch.tensor([0.5, 0.25, -0.5]).view(1, 1, 1, 1, 3)
    targets = torch.tensor([1, 1, 1]).view(1, 1, 1, 3)  # the last voxel is wrong from the start
    weight = torch.tensor([1.0, 0.5, 7.0])
    attack = DAG(gamma=0.01, num_iterations=1, select="objective")
    result = attack(
        functools.partial(pulled, weight), inputs, targets, THREAT, DiceBelow(0.3), generator=torch.Generator()
    )
    moved = (result.adversarial - inputs).flatten()
    assert torch.allclose(moved, torch.tensor([-0.04, -0.02, 0.0]), atol=1e-6)
    assert (result.num_forward, result.num_backward) == (4, 1)


def test_a_short_first_step_stays_near_the_start() -> None:
    inputs, _ = batch()
    near = run(APGD(num_iterations=1, first_step=0.01, select="accuracy"), start=inputs)
    assert float(near.distance.max()) <= 0.1 * 0.01 + 1e-6


@pytest.mark.parametrize("kind", [PGD, APGD])
def test_wrong_settings_are_refused(kind: type[PGD] | type[APGD]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        kind(num_iterations=0)
    with pytest.raises(ValueError, match="'objective', 'dice', 'accuracy'"):
        kind(select="loss")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="epsilons"):
        PGD(step_size=0.0)
    with pytest.raises(ValueError, match="rho"):
        APGD(rho=0.0)


def test_replacing_rows_copies_only_mixtures() -> None:
    new, old = torch.ones(2, 1), torch.zeros(2, 1)
    assert replace_cases(torch.tensor([True, True]), new, old) is new
    assert replace_cases(torch.tensor([False, False]), new, old) is old
    assert replace_cases(torch.tensor([False, True]), new, old).tolist() == [[0.0], [1.0]]


def test_the_iterate_with_the_fewest_voxels_right_is_kept() -> None:
    targets = torch.zeros(1, 1, 1, 3, dtype=torch.int64)
    best = BestIterate("accuracy", targets, DiceBelow(0.5))
    for name, wrong in enumerate((1, 3, 2)):
        lost = torch.tensor([float(index < wrong) for index in range(3)])
        best.update(
            torch.full((1,), float(name)),
            torch.tensor([9.0 - name]),
            torch.stack([-lost, lost - 0.5]).view(1, 2, 1, 1, 3),
        )
    assert best.best().tolist() == [1.0]


def test_best_iterate_without_foreground_ranks_by_the_objective() -> None:
    targets = torch.zeros(1, 1, 1, 2, dtype=torch.int64)
    best = BestIterate("dice", targets, DiceBelow(0.5))
    false_positive = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).reshape(1, 2, 1, 1, 2)
    best.update(torch.zeros(1), torch.tensor([1.0]), false_positive)
    best.update(torch.ones(1), torch.tensor([2.0]), -false_positive)
    best.update(torch.full((1,), 2.0), torch.tensor([1.5]), false_positive)
    assert best.best().tolist() == [1.0]
