import math

import pytest
import torch

from rogseg.cases import Case, IntensityBox
from rogseg.certification import Smoothing

BOX = IntensityBox.per_channel([-1.0, -2.0], [1.0, 6.0])


def case_of(shape: tuple[int, int, int], movable: torch.Tensor | None = None, value: float = 0.0) -> Case:
    return Case("case", torch.full((1, 2, *shape), value), None, BOX, movable)


def test_the_radius_is_sigma_times_the_normal_quantile() -> None:
    assert Smoothing(0.25).radius(0.75) == pytest.approx(0.25 * 0.6744897501960817)
    # A share of Phi(1) buys one standard deviation.
    assert Smoothing(0.5).radius(0.8413447460685429) == pytest.approx(0.5)


@pytest.mark.parametrize(("changes", "message"), [
    ({"sigma": 0.0}, "sigma is 0.0"),
    ({"sigma": 0.25, "num_samples": 70_000}, "num_samples is 70000"),
    ({"sigma": 0.25, "num_selection": 0}, "num_selection is 0"),
])  # fmt: skip
def test_numbers_out_of_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Smoothing(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("tau", [0.5, 1.0, 0.2])
def test_a_tau_without_a_radius_is_refused(tau: float) -> None:
    with pytest.raises(ValueError, match=r"between 0\.5 and 1"):
        Smoothing(0.25).radius(tau)


def test_noise_is_a_share_of_each_channels_width() -> None:
    copies = Smoothing(0.01).noisy_copies(case_of((20, 20, 20)), range(4))
    deviations = copies.std(dim=(0, 2, 3, 4))
    torch.testing.assert_close(deviations, torch.tensor([0.02, 0.08]), rtol=0.02, atol=0)
    assert copies.mean().abs() < 0.001


def test_the_noise_itself_is_not_clipped_but_what_the_network_gets_is() -> None:
    copies = Smoothing(0.5).noisy_copies(case_of((12, 12, 12), value=1.0), range(3))
    upper, lower = BOX.upper[0, :, 0, 0, 0], BOX.lower[0, :, 0, 0, 0]
    # In the first channel the volume lies on its upper bound: half of all draws go above it, Phi(-2) below the lower.
    at_top, at_bottom = (copies[:, 0] == upper[0]).float().mean(), (copies[:, 0] == lower[0]).float().mean()
    assert at_top == pytest.approx(0.5, abs=0.03)
    assert at_bottom == pytest.approx(0.5 * math.erfc(2 / math.sqrt(2)), abs=0.01)
    assert BOX.clip(copies).equal(copies)


def test_what_may_not_move_gets_no_noise() -> None:
    movable = torch.zeros(1, 1, 4, 4, 4, dtype=torch.bool)
    movable[..., :2] = True
    frozen = 7.0  # outside of the box, as zeros of a mask may be
    copies = Smoothing(0.1).noisy_copies(case_of((4, 4, 4), movable, frozen), range(2))
    assert (copies[..., 2:] == frozen).all()
    assert (copies[..., :2] != frozen).all()


def test_a_copy_depends_on_its_number_the_seed_the_case_and_sigma_alone() -> None:
    case, smoothing = case_of((3, 3, 3)), Smoothing(0.1, seed=5)
    together = smoothing.noisy_copies(case, range(4))
    assert torch.cat([smoothing.noisy_copies(case, [number]) for number in range(4)]).equal(together)
    others = [
        smoothing.noisy_copies(case, [4]),
        Smoothing(0.1, seed=6).noisy_copies(case, [0]),
        Smoothing(0.2, seed=5).noisy_copies(case, [0]),
        smoothing.noisy_copies(Case("other", case.inputs, None, BOX), [0]),
    ]
    assert not any(other.allclose(together[:1]) for other in others)
