"""Generated cases, a threshold as their network and an attack on them: what the load test evaluates."""

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from rogseg.attacks import PGD, DiceBelow, LinfThreat, ThreatModel
from rogseg.cases import Case, IntensityBox
from rogseg.engine.attacking.case_attacker import CaseAttacker
from rogseg.engine.attacking.loop import AttackLoop
from rogseg.engine.evaluated_system import record_versions
from rogseg.evaluation.identity import CaseSelection, Condition, CriterionSetting, EvaluatedSystem, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice
from rogseg.workers import Workers, open_workers

__all__ = ["PhantomWorker", "evaluate_phantoms"]

EPSILON = 0.04


@dataclasses.dataclass(frozen=True)
class PhantomWorker:
    """Opens the attack on generated cases.

    Args:
        edge: of the volumes [voxels].
    """

    edge: int

    def __call__(self) -> CaseAttacker:
        """The function of the jobs: a threshold as the network, PGD as the attack."""
        attack = PGD(objective={"type": "CrossEntropy"}, num_iterations=5)
        return CaseAttacker(_threshold, attack, "pgd", _threat, self._case, [Dice()], [(1,)])

    def _case(self, case_id: str) -> Case:
        generator = torch.Generator().manual_seed(int(case_id))
        edge = self.edge
        targets = torch.zeros(1, edge, edge, edge, dtype=torch.long)
        low = int(torch.randint(1, edge // 2, (1,), generator=generator))
        targets[:, low : low + edge // 3, low : low + edge // 3, 2:-2] = 1
        noise = 0.05 * torch.randn(1, 1, edge, edge, edge, generator=generator)
        inputs = (0.2 * targets[:, None] - 0.1 + noise).clamp(-1, 1)
        return Case(case_id, inputs, targets, IntensityBox.per_channel([-1.0], [1.0]), raw_width=(400.0,))


def _threshold(inputs: Tensor) -> Tensor:
    return torch.cat([-inputs, inputs], dim=1)


def _threat(epsilon: float, case: Case) -> ThreatModel:
    return LinfThreat.from_fraction(epsilon, case.box)


def evaluate_phantoms(
    directory: Path, num_cases: int, opener: PhantomWorker, num_workers: int, cluster: str | None
) -> None:
    """What the driver does: clean look and attack of every case, on record."""
    torch.set_num_threads(1)
    ids = tuple(f"{number:05d}" for number in range(num_cases))
    identity = EvaluationIdentity(
        system=EvaluatedSystem("function", "threshold", "none", {}),
        task="phantoms",
        classes=("block",),
        channels=({"name": "phantom", "unit": "HU"},),
        data=dict.fromkeys(ids, "made by its number"),
        condition=Condition("attack", "pgd", {"type": "PGD"}),
        threat=None,
        criterion=CriterionSetting({"type": "DiceBelow"}, None, "the evaluated cases", ids),
        protocol="volume",
        window_size=None,
        overlap=None,
        measures=(Dice().describe(),),
        selection=CaseSelection("all", None),
        seed=0,
        fold=None,
        leak="not known",
        versions=record_versions(),
    )
    records = RecordFolder(directory, identity)
    workers: Workers | None = open_workers(opener, num_workers=num_workers, cluster=cluster, device="cpu")
    loop = AttackLoop(opener(), records, workers)
    try:
        mu = loop.run_clean(ids)
        records.settle_mu(mu)
        loop.run(ids, [EPSILON], DiceBelow(mu / 2))
    finally:
        if workers is not None:
            workers.close()
