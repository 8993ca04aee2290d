"""The attack loop: every case without attack, then every case at all epsilons, each on record once it is done."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from rogseg.attacks import Criterion
from rogseg.engine.attacking.case_attacker import AttackedCase, CaseAttacker, CleanCase
from rogseg.engine.case_recording import UnusableCases, record_cases
from rogseg.evaluation.case_record import CLEAN, CaseRecord
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.workers import InThisProcess, Job, Workers

__all__ = ["NONE_IS_ATTACKED", "AttackLoop", "mean_clean_dice"]

NONE_IS_ATTACKED = "and what is a fall depends on the Dice of all, so none is attacked; mend them, or leave them out"


def mean_clean_dice(clean: Mapping[str, CaseRecord], case_ids: Iterable[str]) -> float:
    """The mean clean Dice over the cases, mu.

    Raises:
        ValueError: no case has foreground.
    """
    means = [mean for case_id in case_ids if (mean := clean[case_id].mean_clean) is not None]
    if not means:
        raise ValueError("none of the cases has foreground, so there is no Dice to attack: choose other cases")
    return math.fsum(means) / len(means)


def _alike(_case_id: str) -> float:
    return 1.0


@dataclasses.dataclass
class AttackLoop:
    """Evaluates one attack and writes its records; call `run` again after a kill and it goes on.

    Args:
        attacker: makes the records of a case.
        records: where records go; this process is the only one that writes there.
        workers: who attacks; None is the attacker, in this process.
        size_of: how much work a case is beside the others; workers begin with the largest.
        on_progress: called with the pairs of case and epsilon that are done, and with all there are.
    """

    attacker: CaseAttacker
    records: RecordFolder
    workers: Workers[CleanCase | AttackedCase, tuple[CaseRecord, ...] | str] | None = None
    size_of: Callable[[str], float] = _alike
    on_progress: Callable[[int, int], None] | None = None

    def run_clean(self, case_ids: Iterable[str]) -> float:
        """Evaluate what is missing without attack and give mu, the mean clean Dice over the cases.

        Every shard does this for all cases, because mu needs them all and costs one pass each.

        Raises:
            ValueError: no case has foreground, or cases cannot be used; the message names each.
        """
        case_ids = list(case_ids)
        missing = [case_id for case_id in case_ids if not self.records.has(case_id, CLEAN, 0.0)]
        jobs = [self._job(CleanCase(case_id)) for case_id in missing]
        self._record(jobs, len(case_ids)).refuse(NONE_IS_ATTACKED)
        return mean_clean_dice(self.records.clean(), case_ids)

    def run(self, case_ids: Sequence[str], epsilons: Sequence[float], criterion: Criterion) -> None:
        """Attack what is missing; the criterion says when a case has fallen.

        Raises:
            ValueError: cases cannot be attacked; the message names each, and the others are done.
        """
        clean, ascending = self.records.clean(), sorted(epsilons)
        jobs = []
        for case_id in case_ids:
            missing = [epsilon for epsilon in ascending if not self._is_done(case_id, epsilon)]
            if missing:
                # From the smallest on, whatever is on record: each epsilon needs the volume of the one before.
                sweep = tuple(epsilon for epsilon in ascending if epsilon <= missing[-1])
                jobs.append(self._job(AttackedCase(case_id, sweep, criterion, clean[case_id].clean)))
        total = len(case_ids) * len(epsilons)

        def tell(_done: int = 0) -> None:
            if self.on_progress is not None:
                self.on_progress(self.count_done(case_ids, epsilons), total)

        tell()
        self._record(jobs, len(case_ids), tell).refuse()

    def count_done(self, case_ids: Sequence[str], epsilons: Sequence[float]) -> int:
        """How many pairs of case and epsilon are on record."""
        return sum(self._is_done(case_id, epsilon) for epsilon in epsilons for case_id in case_ids)

    def _record(
        self,
        jobs: Sequence[Job[CleanCase | AttackedCase]],
        num_cases: int,
        on_done: Callable[[int], None] | None = None,
    ) -> UnusableCases:
        unusable = UnusableCases(num_cases)
        for asked, fault in record_cases(self._workers, jobs, self.records, on_done):
            unusable.note(asked.case_id, fault)
        return unusable

    @property
    def _workers(self) -> Workers[CleanCase | AttackedCase, tuple[CaseRecord, ...] | str]:
        return self.workers or InThisProcess(self.attacker)

    def _job(self, asked: CleanCase | AttackedCase) -> Job[CleanCase | AttackedCase]:
        return Job(f"case {asked.case_id!r}", asked, self.size_of(asked.case_id))

    def _is_done(self, case_id: str, epsilon: float) -> bool:
        # A composite's own record comes after those of its members, so it says that they are all there.
        return self.records.has(case_id, self.attacker.last_record, epsilon)
