import pytest
import torch

from rogseg.attacks import L2Threat, LinfThreat, QuantisationThreat, ThreatModel
from rogseg.cases import IntensityBox

BOX = IntensityBox.per_channel([-1.0, 0.0], [1.0, 5.0])  # widths 2 and 5


def volume(seed: int = 0, num_cases: int = 2) -> torch.Tensor:
    share = torch.rand(num_cases, 2, 3, 4, 5, generator=torch.Generator().manual_seed(seed))
    return BOX.lower + BOX.width * share


def test_a_box_says_what_is_wrong_with_it() -> None:
    with pytest.raises(ValueError, match=r"per_channel"):
        IntensityBox(torch.zeros(2), torch.ones(2))
    with pytest.raises(ValueError, match="below"):
        IntensityBox.per_channel([0.0], [0.0])
    with pytest.raises(ValueError, match="not finite"):
        IntensityBox.per_channel([0.0], [float("inf")])
    assert BOX.width.flatten().tolist() == [2.0, 5.0]


def test_epsilon_in_three_units() -> None:
    assert LinfThreat.from_fraction(0.1, BOX).epsilon.flatten().tolist() == pytest.approx([0.2, 0.5])
    assert LinfThreat.from_network_units(0.1, BOX).epsilon.flatten().tolist() == pytest.approx([0.1, 0.1])
    hounsfield = torch.tensor([400.0, 1000.0]).view(1, 2, 1, 1, 1)
    # 10 HU of a window of 400 HU is a fortieth of the box.
    assert LinfThreat.from_raw_units(10.0, BOX, hounsfield).epsilon.flatten().tolist() == pytest.approx([0.05, 0.05])
    assert L2Threat.from_fraction(0.25, BOX).epsilon.flatten().tolist() == [0.25]
    one_width = IntensityBox.per_channel([-1.0, 0.0], [1.0, 2.0])
    assert L2Threat.from_network_units(1.0, one_width).epsilon.flatten().tolist() == [0.5]
    assert L2Threat.from_raw_units(10.0, one_width, torch.full((1, 2, 1, 1, 1), 400.0)).epsilon.item() == (
        pytest.approx(0.025)
    )
    with pytest.raises(ValueError, match="from_fraction"):
        L2Threat.from_network_units(1.0, BOX)
    with pytest.raises(ValueError, match="at least 0"):
        LinfThreat.from_fraction(-0.1, BOX)


def test_linf_projection_clips_to_ball_and_box() -> None:
    inputs = torch.zeros(1, 2, 1, 1, 1)
    moved = LinfThreat.from_fraction(0.1, BOX).project(inputs, torch.tensor([9.0, -9.0]).view(1, 2, 1, 1, 1))
    assert moved.flatten().tolist() == pytest.approx([0.2, 0.0])


@pytest.mark.parametrize("threat", [LinfThreat.from_fraction(0.03, BOX), L2Threat.from_fraction(0.1, BOX)])
def test_projection_is_admissible_idempotent_and_keeps_what_is_inside(threat: ThreatModel) -> None:
    inputs = volume()
    far = inputs + 3 * torch.randn(inputs.shape, generator=torch.Generator().manual_seed(1))
    projected = threat.project(inputs, far)
    threat.assert_admissible(inputs, projected)
    assert torch.allclose(threat.project(inputs, projected), projected, atol=1e-6)
    assert torch.equal(threat.project(inputs, inputs), inputs)
    assert float(threat.distance(inputs, projected).min()) == pytest.approx(
        float(threat.epsilon.flatten()[0] / (2.0 if isinstance(threat, LinfThreat) else 1.0)), rel=1e-5
    )


def test_l2_distance_is_in_units_of_the_width() -> None:
    inputs = torch.zeros(1, 2, 1, 1, 2)
    moved = inputs.clone()
    moved[0, 0, 0, 0, 0], moved[0, 1, 0, 0, 1] = 0.6, 2.0  # 0.3 and 0.4 of the width
    threat = L2Threat.from_fraction(0.25, BOX)
    # A norm of 0.5 over four values is a root mean square of 0.25; over the two that may move it is more.
    assert threat.distance(inputs, moved).tolist() == pytest.approx([0.25])
    assert threat.radius(inputs).tolist() == pytest.approx([0.5])
    first = torch.tensor([True, False]).view(1, 1, 1, 1, 2)
    assert threat.within(first).distance(inputs, moved).tolist() == pytest.approx([0.5 / 2**0.5])
    assert threat.within(first).radius(inputs).tolist() == pytest.approx([0.25 * 2**0.5])
    assert LinfThreat.from_fraction(0.5, BOX).distance(inputs, moved).tolist() == pytest.approx([0.4])


@pytest.mark.parametrize("threat", [LinfThreat.from_fraction(0.03, BOX), L2Threat.from_fraction(0.1, BOX)])
def test_steepest_ascent_is_the_best_direction_of_its_length(threat: ThreatModel) -> None:
    generator = torch.Generator().manual_seed(2)
    gradient = 1e-24 * torch.randn(2, 2, 3, 4, 5, generator=generator)  # so small that float32 squares vanish
    centre = (BOX.lower + 0.5 * BOX.width).expand(2, 2, 3, 4, 5)
    best = threat.steepest_ascent(gradient)
    threat.assert_admissible(centre, centre + best)
    gain = (best.double() * gradient.double()).flatten(1).sum(1)
    for seed in range(20):
        other = threat.random_start(centre, torch.Generator().manual_seed(seed)) - centre
        assert ((other.double() * gradient.double()).flatten(1).sum(1) < gain).all()
    assert (threat.steepest_ascent(torch.zeros_like(gradient)) == 0).all()


def test_random_starts_fill_the_ball_and_follow_their_seed() -> None:
    inputs = volume()
    for threat in (LinfThreat.from_fraction(0.03, BOX), L2Threat.from_fraction(0.1, BOX)):
        start = threat.random_start(inputs, torch.Generator().manual_seed(3))
        threat.assert_admissible(inputs, start)
        assert torch.equal(start, threat.random_start(inputs, torch.Generator().manual_seed(3)))
        assert not torch.equal(start, threat.random_start(inputs, torch.Generator().manual_seed(4)))
        assert (threat.distance(inputs, start) > 0.025).all()


@pytest.mark.parametrize(("lower", "upper"), [(2000.0, 2050.0), (-1e6 - 10, -1e6)])
@pytest.mark.parametrize("norm", [LinfThreat, L2Threat])
def test_a_narrow_box_far_from_0_is_held_to_what_float32_resolves(
    norm: type[ThreatModel], lower: float, upper: float
) -> None:
    threat = norm.from_fraction(8 / 255, (lower, upper))
    generator = torch.Generator().manual_seed(0)
    width = upper - lower
    inputs = threat.clip_to_box(lower + width * torch.rand(1, 1, 24, 24, 24, generator=generator))
    step = width * torch.randn(inputs.shape, generator=generator)
    threat.assert_admissible(inputs, threat.project(inputs, inputs + step))
    with pytest.raises(AssertionError, match="outside the threat model"):
        threat.assert_admissible(inputs, threat.scaled(2).project(inputs, inputs + step))


def test_assertion_is_at_a_millionth_of_the_width_and_names_the_case() -> None:
    inputs = torch.zeros(3, 2, 2, 2, 2, dtype=torch.float64)
    threat = LinfThreat.from_fraction(0.1, BOX)
    moved = inputs.clone()
    moved[1, 1, 0, 0, 0] = 5 * (0.1 + 0.9e-6)
    threat.assert_admissible(inputs, moved)
    moved[1, 1, 0, 0, 0] = 5 * (0.1 + 1.2e-6)
    with pytest.raises(AssertionError, match=r"\[1\]"):
        threat.assert_admissible(inputs, moved)
    moved[1, 1, 0, 0, 0] = float("nan")
    assert threat.contains(inputs, moved).tolist() == [True, False, True]
    below = inputs.clone()
    below[0, 1] = -1e-5 * 5  # in the ball, outside the box
    assert threat.contains(inputs, below).tolist() == [False, True, True]


def test_cases_are_picked_with_their_own_bounds() -> None:
    lower = torch.arange(3.0).view(3, 1, 1, 1, 1)
    threat = LinfThreat.from_fraction(0.5, IntensityBox(lower, lower + 1 + lower))
    picked = threat.of_cases(torch.tensor([False, True, True]))
    assert picked.box.lower.flatten().tolist() == [1.0, 2.0]
    assert picked.epsilon.flatten().tolist() == [1.0, 1.5]
    assert LinfThreat.from_fraction(0.5, BOX).of_cases(torch.tensor([1])).epsilon.shape == (1, 2, 1, 1, 1)
    assert threat.scaled(2).epsilon.flatten().tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("threat", [L2Threat.from_fraction(0.05, BOX), QuantisationThreat.from_fraction(0.05, BOX)])
def test_random_starts_within_a_small_support_are_as_long_as_in_the_whole_volume(threat: ThreatModel) -> None:
    inputs = (BOX.lower + 0.5 * BOX.width).expand(2, 2, 3, 4, 5).contiguous()
    support = torch.zeros(2, 1, 3, 4, 5, dtype=torch.bool)
    support[..., 0, 1:] = True  # 12 of 60 voxels
    for moving in (torch.ones_like(support), support):
        partial = threat.within(moving)
        start = partial.random_start(inputs, torch.Generator().manual_seed(0))
        assert partial.distance(inputs, start).tolist() == pytest.approx([0.05] * 2, rel=1e-5)


THREATS = [kind.from_fraction(0.1, BOX) for kind in (LinfThreat, L2Threat, QuantisationThreat)]


@pytest.mark.parametrize("threat", THREATS)
def test_padding_stays_where_the_box_does_not_hold_its_value(threat: ThreatModel) -> None:
    inputs = volume()
    support = torch.ones(2, 1, 3, 4, 5, dtype=torch.bool)
    support[:, :, 0] = False
    inputs[:, :, 0] = -7.0
    partial = threat.within(support)
    moved = partial.project(inputs, inputs + 1)
    assert (moved[:, :, 0] == -7.0).all()
    assert (moved[:, :, 1:] != inputs[:, :, 1:]).any()
    partial.assert_admissible(inputs, moved)
    moved[0, 0, 1] = -7.0  # which no voxel that may move may have
    assert partial.contains(inputs, moved).tolist() == [False, True]


@pytest.mark.parametrize("threat", [LinfThreat.from_fraction(0.03, BOX), L2Threat.from_fraction(0.1, BOX)])
def test_voxels_outside_the_support_stay(threat: ThreatModel) -> None:
    inputs = volume()
    support = torch.rand(2, 1, 3, 4, 5, generator=torch.Generator().manual_seed(3)) < 0.5
    partial = threat.within(support)
    start = partial.random_start(inputs, torch.Generator().manual_seed(0))
    step = partial.steepest_ascent(torch.randn(inputs.shape, generator=torch.Generator().manual_seed(1)))
    outside = ~support.expand_as(inputs)
    assert torch.equal(start[outside], inputs[outside])
    assert (step[outside] == 0).all()
    assert (step[~outside] != 0).all()
    partial.assert_admissible(inputs, partial.project(inputs, start + step))
    second = torch.tensor([False, True])
    assert torch.equal(partial.of_cases(second).project(inputs[1:], start[1:]), start[1:])
    with pytest.raises(AssertionError, match="outside the threat model"):
        partial.assert_admissible(inputs, threat.project(inputs, inputs + step.abs().max() * outside))
    with pytest.raises(ValueError, match="expected bool"):
        threat.within(support.float())
