import pytest
import torch
from torch import Tensor

from rogseg.attacks.apgd import APGD
from rogseg.attacks.criteria import DiceBelow
from rogseg.attacks.ensembles.auto_attack import AutoAttack
from rogseg.attacks.ensembles.composite import Composite
from rogseg.attacks.ensembles.sea import SEA
from rogseg.attacks.ensembles.segmentation_ensemble import SegmentationEnsemble
from rogseg.attacks.ensembles.strongest import Strongest
from rogseg.attacks.fgsm import FGSM
from rogseg.attacks.objectives import CrossEntropy, SoftDice
from rogseg.attacks.shrinking_apgd import ShrinkingAPGD
from rogseg.attacks.square import Square
from rogseg.attacks.threats import LinfThreat
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-1.0], [3.0])


def model(inputs: Tensor) -> Tensor:
    smooth = torch.nn.functional.avg_pool3d(inputs, 3, stride=1, padding=1)
    centres = torch.arange(3.0).view(1, 3, 1, 1, 1)
    return -6 * (0.5 * (smooth + inputs) - centres).square()


def two_classes(inputs: Tensor) -> Tensor:
    return model(inputs)[:, :2]


def problem() -> tuple[Tensor, Tensor, LinfThreat]:
    """A case that falls at once, one that falls to some, one without foreground."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.zeros(3, 6, 6, 4, dtype=torch.int64)
    targets[:2, 1:5, 1:4] = 1
    targets[:2, 1:3, 1:4, 1:3] = 2
    inputs = targets[:, None] + 0.2 * torch.rand(3, 1, 6, 6, 4, generator=generator)
    inputs[0] = 0.0
    return inputs, targets, LinfThreat.from_fraction(0.1, BOX)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_each_case_gets_the_worst_of_its_members() -> None:
    inputs, targets, threat = problem()
    attack = AutoAttack(num_iterations=5, num_queries=20)
    result = attack(model, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    assert list(result.members) == ["APGD-CE", "APGD-DLR", "FAB-T", "Square"]
    members = torch.stack([member.mean_dice for member in result.members.values()])
    assert torch.equal(result.mean_dice[:2], members[:, :2].amin(0))
    assert result.mean_dice[2].isnan()
    assert result.success.tolist()[2] is False
    # The clean pass, the evaluation of the result, and what the members took.
    assert result.num_forward == 2 + sum(member.num_forward for member in result.members.values())
    assert result.num_backward == sum(member.num_backward for member in result.members.values()) > 0


def test_two_classes_take_the_margin_and_say_so() -> None:
    inputs, targets, threat = problem()
    attack = AutoAttack(num_iterations=3, num_queries=5)
    result = attack(two_classes, inputs, targets.clamp(max=1), threat, DiceBelow(0.5), generator=generator())
    assert list(result.members) == ["APGD-CE", "APGD-DLR (two classes)", "FAB-T", "Square"]


def test_cascade_leaves_fallen_cases_alone_and_finds_the_same_ones() -> None:
    inputs, targets, threat = problem()
    members = {"first": FGSM(), "second": APGD(SoftDice(), num_iterations=10), "third": Square(num_queries=10)}
    criterion = DiceBelow(0.6)
    whole = Composite(members)(model, inputs, targets, threat, criterion, generator=generator())
    cascade = Composite(members, mode="cascade")(model, inputs, targets, threat, criterion, generator=generator())
    assert whole.success.tolist() == cascade.success.tolist() == [True, True, False]
    # The first case had fallen on its clean volume, the second falls to some member, the third never does.
    assert torch.equal(cascade.adversarial[0], inputs[0])
    assert cascade.members["first"].dice[0].isnan().all()
    fallen = torch.stack([member.success for member in cascade.members.values()])
    assert fallen[:, 1].sum() == 1
    assert cascade.num_forward < whole.num_forward + 20
    last = list(cascade.members)[-1]
    assert last == "third"
    assert cascade.members[last].dice[1].isnan().all()


def test_cascade_in_a_batch_is_the_cascade_of_each_case() -> None:
    inputs, targets, threat = problem()
    attack = Composite({"random": FGSM(random_start=True), "square": Square(num_queries=5)}, mode="cascade")
    for hard in (inputs, inputs.roll(1, dims=0) * 0):
        batch = torch.cat([inputs[1:2], hard[:1]])
        together = attack(model, batch, targets[[1, 0]], threat, DiceBelow(0.1), generator=generator())
        alone = attack(model, batch[:1], targets[1:2], threat, DiceBelow(0.1), generator=generator())
        assert torch.equal(together.adversarial[:1], alone.adversarial)


def test_members_do_not_share_their_randomness() -> None:
    inputs, targets, threat = problem()
    square = Square(num_queries=8)
    both = Composite({"noise": FGSM(random_start=True), "square": square})
    results = [
        attack(model, inputs, targets, threat, DiceBelow(0.1), generator=generator()).members["square"]
        for attack in (both, Composite({"square": square}))
    ]
    assert torch.equal(results[0].adversarial, results[1].adversarial)


def test_shrinking_stays_in_the_ball_and_is_no_weaker_than_one_radius() -> None:
    inputs, targets, threat = problem()
    plain = APGD(SoftDice(), num_iterations=30)(model, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    shrinking = ShrinkingAPGD(SoftDice(), num_iterations=30)(
        model, inputs, targets, threat, DiceBelow(0.5), generator=generator()
    )
    assert shrinking.loss[1] >= plain.loss[1] - 0.01
    # Three stages with a last forward pass each, and the evaluation of the result.
    assert shrinking.num_backward == 30
    assert shrinking.num_forward == 30 + 3 + 1


def test_the_ensemble_reports_its_four_members() -> None:
    inputs, targets, threat = problem()
    result = SegmentationEnsemble(num_iterations=6)(
        model, inputs, targets, threat, DiceBelow(0.5), generator=generator()
    )
    assert list(result.members) == ["APGD-JS", "APGD-MaskedCE", "APGD-SegPGD", "APGD-SoftDice"]
    assert result.mean_dice[1] == min(member.mean_dice[1] for member in result.members.values())


def test_sea_hands_over_and_back_the_lowest_accuracy_and_steps_by_cross_entropy() -> None:
    inputs, targets, threat = problem()
    sea = SEA(num_iterations=6)
    result = sea(model, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    assert list(result.members) == ["SEA-BalancedCE", "SEA-MaskedCE", "SEA-JS"]
    for member in sea.attacks.values():
        assert isinstance(member, ShrinkingAPGD)
        assert isinstance(member.objective.ruler, CrossEntropy)
        assert [(factor, stage.num_iterations, stage.select) for factor, stage in member.stages] == [
            (2.0, 1, "accuracy"), (1.5, 1, "accuracy"), (1.0, 4, "accuracy"),
        ]  # fmt: skip


def test_the_strongest_refines_the_worst_that_it_found() -> None:
    inputs, targets, threat = problem()
    attack = Strongest(num_passes=40)
    result = attack(model, inputs, targets, threat, DiceBelow(0.5), generator=generator())
    assert list(result.members) == ["SoftDice", "SharpDice", "DLR", "SegPGD", "Refined-Dice", "Refined-Sharp"]
    assert result.num_backward == 40
    dice = torch.stack([member.mean_dice for member in result.members.values()])[:, :2]
    # Iterates are chosen by Dice, and the first of a refinement is its start.
    assert (dice[4] <= dice[:4].amin(0)).all()
    assert (dice[5] <= dice[4]).all()
    assert torch.equal(result.mean_dice[:2], dice[5])
    with pytest.raises(ValueError, match="at least 40"):
        Strongest(num_passes=30)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ValueError, match="cascade"):
        Composite({"a": FGSM()}, mode="each")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty"):
        Composite({})
    with pytest.raises(ValueError, match="replaces no member"):
        Composite({"a": FGSM()}, two_class_members={"b": FGSM(CrossEntropy())})
