"""The counter against what it stands for: a network that counts, slid over the real windows by `VolumeLogits`."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rogseg.attacks import LinfThreat, QuantisationThreat, ThreatModel
from rogseg.cases import Case
from rogseg.estimation import volume_costs
from rogseg.inference import RegionVolumeLogits, VolumeLogits
from rogseg.task_plan import TaskPlan, Triple
from tests.contract.attack_configs import CONTRACTS, NAMES, build
from tests.tiny_task import tiny_plan

WINDOW = (12, 16, 10)
# One window that is padded, windows along every axis, and windows that overlap almost wholly beside a padded axis.
VOLUMES = [(10, 14, 10), (20, 19, 15), (13, 17, 8)]


class SlidNetwork(RegionVolumeLogits):
    """What `WindowCounter` tells, from windows that are cut out and evaluated."""

    def __init__(
        self, plan: TaskPlan, volume: Triple, window: Triple, overlap: float, mirror_axes: Sequence[int]
    ) -> None:
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(plan.num_classes, plan.num_channels, 1, 1, 1, generator=generator)
        self.forward_windows = self.gradient_windows = 0
        super().__init__(VolumeLogits(self.network, window, overlap, mirror_axes=mirror_axes, window_batch=3))
        self.num_copies = len(self.volume_logits.models)
        padded = torch.Size(max(length, extent) for length, extent in zip(volume, window, strict=True))
        self.num_windows = len(self.volume_logits.grid(padded).indices)

    def network(self, windows: Tensor) -> Tensor:
        if torch.is_grad_enabled() and windows.requires_grad:
            self.gradient_windows += len(windows)
        else:
            self.forward_windows += len(windows)
        return functional.conv3d(windows, self.weight)


def threat_of(name: str, epsilon: float, case: Case) -> ThreatModel:
    kind = CONTRACTS[name].threat
    assert kind in (LinfThreat, QuantisationThreat)
    return kind.from_fraction(epsilon, case.box)


@pytest.mark.parametrize("mirror_axes", [(), (0, 2)])
@pytest.mark.parametrize("volume", VOLUMES)
@pytest.mark.parametrize("name", NAMES)
def test_every_attack_is_counted_as_on_real_windows(
    name: str, volume: Triple, mirror_axes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def count() -> volume_costs.AttackPasses:
        return volume_costs.count_attack_passes(
            build(name),
            lambda epsilon, case: threat_of(name, epsilon, case),
            8 / 255,
            tiny_plan(),
            volume,
            WINDOW,
            0.5,
            mirror_axes,
        )

    counted = count()
    monkeypatch.setattr(volume_costs, "WindowCounter", SlidNetwork)
    assert counted == count()
