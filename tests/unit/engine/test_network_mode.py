"""A network that its owner left in training mode is measured in evaluation mode, and learns nothing by it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor, nn

from rogseg.engine.accuracy.accuracy import evaluate_accuracy
from rogseg.engine.attacking.transfer import _seen
from rogseg.engine.case_selection import ALL_CASES
from rogseg.engine.certifying.certification import evaluate_certificates
from rogseg.engine.certifying.settings import CertificateSettings
from rogseg.engine.corrupting.corruptions import evaluate_corruptions
from rogseg.engine.corrupting.settings import CorruptionSettings
from rogseg.metrics import Dice
from rogseg.storage import RawCase
from rogseg.systems import RawCases, System, TorchModule
from tests.unit.systems.any_network.networks import INPUTS, OUTPUTS, WINDOWS, seeded, write_case

DICE = ({"type": "Dice"},)


class Normed(nn.Module):
    """Its answer depends on whose statistics are taken, and every pass in training mode moves them."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.network = nn.BatchNorm3d(1), seeded()

    def forward(self, windows: Tensor) -> Tensor:
        logits: Tensor = self.network(self.norm(windows + 1))
        return logits


def accuracy(system: System, raw: RawCase, out: Path) -> Any:
    records = evaluate_accuracy(system, [raw], out, task="T", measures=DICE, selection=ALL_CASES)
    return [record.prediction for record in records.records]


def corruptions(system: System, raw: RawCase, out: Path) -> Any:
    settings = CorruptionSettings.choose(("MR",), ("Gamma",), (1,))
    records = evaluate_corruptions(system, [raw], settings, out, task="T", measures=DICE, selection=ALL_CASES)
    return [record.measures for record in records.records]


def certificates(system: System, raw: RawCase, out: Path) -> Any:
    settings = CertificateSettings(sigmas=(0.1,), num_selection=3, num_samples=60)
    records = evaluate_certificates(system, RawCases(system, [raw], "T"), settings, out)
    return [record.certificate for record in records.records]


def transfers(system: System, raw: RawCase, out: Path) -> Any:
    return _seen(system, raw, (Dice(),)).measures


@pytest.mark.parametrize("measure", [accuracy, corruptions, certificates, transfers])
def test_what_is_measured_is_the_network_in_evaluation_mode(
    measure: Callable[[System, RawCase, Path], Any], tmp_path: Path
) -> None:
    raw, network = write_case(tmp_path / "raw"), Normed()
    system = TorchModule(network, INPUTS, WINDOWS, OUTPUTS)
    expected = measure(system, raw, tmp_path / "evaluation")
    network.train()
    assert measure(system, raw, tmp_path / "training") == expected
    assert network.norm.num_batches_tracked == 0
    assert network.training
