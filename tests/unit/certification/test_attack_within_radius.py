"""No attack inside the radius changes what is certified, and one outside does: on a network that is not linear."""

import torch
from torch import Tensor, nn

from rogseg.attacks import PGD, DiceBelow, L2Threat
from rogseg.cases import Case, IntensityBox
from rogseg.certification import Questions, Smoothing, Votes, collect_votes

BOX = IntensityBox.per_channel([-2.0], [2.0])
SHAPE = (4, 4, 4)


class Curved(nn.Module):
    """Two classes of a small convolutional network."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.layers = nn.Sequential(nn.Conv3d(1, 6, 3, padding=1), nn.Tanh(), nn.Conv3d(6, 2, 1))
        self.requires_grad_(False)

    def forward(self, volume: Tensor) -> Tensor:
        return self.layers(4 * volume)


class Smoothed(nn.Module):
    """The smoothed network with so many fixed copies, softened so that it has a gradient."""

    def __init__(self, network: nn.Module, sigma: float, num_copies: int) -> None:
        super().__init__()
        self.network = network
        generator = torch.Generator().manual_seed(7)
        self.noise = sigma * BOX.width * torch.randn(num_copies, 1, *SHAPE, generator=generator)

    def shares(self, volume: Tensor, scale: float) -> Tensor:
        copies = BOX.clip(volume + self.noise)
        return (scale * self.network(copies)).softmax(1).mean(0, keepdim=True)

    def forward(self, volume: Tensor) -> Tensor:
        return self.shares(volume, 3.0).clamp_min(1e-6).log()


def test_no_attack_inside_the_radius_changes_a_certified_voxel_and_one_outside_does() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = BOX.clip(torch.randn(1, 1, *SHAPE, generator=generator))
    case, smoothing, network = Case("tiny", inputs, None, BOX), Smoothing(0.15, 50, 1000), Curved()
    votes = Votes.empty(2, SHAPE, smoothing)
    collect_votes(network, case, smoothing, votes, batch_size=250)
    certificate = Questions(votes, 50, [(1,)]).certificate(0.75, 0.001)
    held = torch.from_numpy(certificate.holds({1}))
    other = torch.from_numpy(certificate.holds({0}))
    certain = held | other
    assert 0.3 < certain.float().mean() < 1
    # The attack may look at all it wants: it is given the smoothed decision as its target and only certain voxels.
    targets = held.long()[None]
    smoothed = Smoothed(network, smoothing.sigma, 40)
    judge = Smoothed(network, smoothing.sigma, 2000)
    radius = smoothing.radius(0.75)
    changed = {}
    for factor in (1.0, 8.0):
        epsilon = factor * radius / inputs.numel() ** 0.5  # the same ball as an L2 threat, a root mean square
        threat = L2Threat.from_fraction(epsilon, BOX)
        torch.testing.assert_close(threat.radius(inputs), torch.tensor([factor * radius], dtype=torch.float64))
        result = PGD(objective={"type": "CrossEntropy"}, num_iterations=10)(
            smoothed, inputs, targets, threat, DiceBelow(0.0), generator=torch.Generator().manual_seed(1)
        )
        shares = judge.shares(result.adversarial, 1e6)[0]
        right = torch.where(held, shares[1], shares[0])
        changed[factor] = int((right[certain] < 0.5 - 4 * (0.25 / 2000) ** 0.5).sum())
    assert changed[1.0] == 0
    assert changed[8.0] > 0
