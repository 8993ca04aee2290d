"""Generated cases, looked at and then shaken: small work for workers, of numpy alone, so that they start at once."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rogseg.evaluation.case_record import CLEAN, DICE, CaseRecord, PerClass
from rogseg.workers import InThisProcess, Job, Workers

__all__ = ["PhantomCase", "PhantomWorker", "evaluate_phantoms", "jobs_of"]

SHAKEN = "random noise"
EPSILON = 0.04
Volume = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class PhantomCase:
    """A case by its number, clean or, where its clean Dice is given, shaken."""

    number: int
    clean: PerClass | None = None

    @property
    def case_id(self) -> str:
        """What records call it."""
        return f"{self.number:05d}"


@dataclasses.dataclass(frozen=True)
class PhantomWorker:
    """Opens what makes the record of a case: a threshold segments it, the worst of some noise is its attack.

    Args:
        edge: of the smallest volumes [voxels].
        growth: by how much the second to fifth of every five cases are larger, each than the one before.
        num_tries: of noise.
    """

    edge: int
    growth: int = 0
    num_tries: int = 20

    def __call__(self) -> Callable[[PhantomCase], tuple[CaseRecord, ...]]:
        """The function of the jobs."""
        return self._record

    def edge_of(self, number: int) -> int:
        """Of a case's volume [voxels]."""
        return self.edge + self.growth * (number % 5)

    def _record(self, case: PhantomCase) -> tuple[CaseRecord, ...]:
        generator, edge = np.random.default_rng(case.number), self.edge_of(case.number)
        label = np.zeros((edge,) * 3, dtype=bool)
        low = int(generator.integers(1, edge // 2))
        label[low : low + edge // 3, low : low + edge // 3, 2:-2] = True
        image = np.where(label, 0.1, -0.1) + 0.05 * generator.standard_normal(label.shape)
        if case.clean is None:
            return (CaseRecord.of_clean(case.case_id, {DICE: (_dice(image, label),)}),)
        noisy = (image + EPSILON * generator.choice((-1.0, 1.0), label.shape) for _ in range(self.num_tries))
        worst = min(_dice(one, label) for one in noisy)
        clean, measures = {DICE: case.clean}, {DICE: (worst,)}
        return (CaseRecord(case.case_id, SHAKEN, EPSILON, clean, measures, worst < 0.5, num_forward=self.num_tries),)


def _dice(image: Volume, label: NDArray[np.bool_]) -> float:
    found = image > 0
    return float(2 * (found & label).sum() / (found.sum() + label.sum()))


def jobs_of(opener: PhantomWorker, cases: list[PhantomCase]) -> list[Job[PhantomCase]]:
    """The cases as jobs, sized by their voxels."""
    return [Job(f"case {case.case_id}", case, opener.edge_of(case.number) ** 3) for case in cases]


def evaluate_phantoms(
    directory: Path,
    num_cases: int,
    opener: PhantomWorker,
    workers: Workers[PhantomCase, tuple[CaseRecord, ...]] | None = None,
) -> None:
    """What a driver does: look at what is missing without noise, then shake what is missing, all on record.

    Args:
        directory: of the records.
        num_cases: how many.
        opener: of the workers.
        workers: who does it; None is this process.
    """
    # Imported here, since workers import this file and need none of it.
    from rogseg.engine.case_recording import record_cases
    from rogseg.engine.evaluated_system import record_versions
    from rogseg.evaluation.identity import CaseSelection, Condition, EvaluatedSystem, EvaluationIdentity
    from rogseg.evaluation.record_folder import RecordFolder

    every = [PhantomCase(number) for number in range(num_cases)]
    identity = EvaluationIdentity(
        system=EvaluatedSystem("function", "threshold", "none", {}),
        task="phantoms",
        classes=("block",),
        channels=({"name": "phantom", "unit": "HU"},),
        data={case.case_id: "made by its number" for case in every},
        condition=Condition("corruption", SHAKEN, {"corruptions": {SHAKEN: {}}}),
        threat=None,
        criterion=None,
        protocol="volume",
        window_size=None,
        overlap=None,
        measures=(),
        selection=CaseSelection("all", None),
        seed=0,
        fold=None,
        leak="not known",
        versions=record_versions(),
    )
    records = RecordFolder(directory, identity)
    doing = workers or InThisProcess(opener())
    record_cases(doing, jobs_of(opener, [c for c in every if not records.has(c.case_id, CLEAN, 0.0)]), records)
    clean = records.clean()
    missing = [
        PhantomCase(case.number, clean[case.case_id].dice_clean)
        for case in every
        if not records.has(case.case_id, SHAKEN, EPSILON)
    ]
    record_cases(doing, jobs_of(opener, missing), records)
