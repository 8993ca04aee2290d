"""CaseCertifier: certifies one case under the noise of one sigma; it can run anywhere."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from rogseg.attacks.model_state import evaluation_mode
from rogseg.cases import Case
from rogseg.certification import CertifiedCase, Questions, Smoothing, Votes, certify_case, collect_votes
from rogseg.engine.attacking.evaluated_case import evaluated_case
from rogseg.engine.attacking.measured_case import clean_record
from rogseg.engine.case_recording import case_fault
from rogseg.engine.case_workers import CarriedCases, SystemNames
from rogseg.engine.certifying.settings import CertificateSettings, condition_name
from rogseg.engine.certifying.votes_file import VotesFile
from rogseg.engine.device import system_device
from rogseg.evaluation.case_record import DICE, CaseRecord, PerClass
from rogseg.metrics import Dice
from rogseg.systems import CaseSource, Protocol, System

__all__ = ["CaseCertifier", "CertifyWorker", "Certifying", "SmoothedCase"]

VOTES = "votes"


@dataclasses.dataclass(frozen=True)
class SmoothedCase:
    """To be certified.

    Args:
        case_id: its name.
        sigma: of the noise, a fraction of the box's width.
        digest: of the evaluation's identity; votes of another one are refused.
        clean: measures of the prediction without noise; None has them made.
    """

    case_id: str
    sigma: float
    digest: str
    clean: Mapping[str, PerClass] | None


@dataclasses.dataclass(frozen=True)
class Certifying:
    """How every case of an evaluation is certified.

    Args:
        settings: sigmas, taus and the number of noisy copies.
        directory: of the records; votes go into a folder of it.
        protocol: whole volumes, or the system's one window around the foreground.
        seed: of the noise.
        batch_size: noisy copies per call of the network.
        seconds_between: the least time between two savings of a case's votes [s].
    """

    settings: CertificateSettings
    directory: Path
    protocol: Protocol
    seed: int
    batch_size: int = 1
    seconds_between: float = 30.0


class CaseCertifier:
    """Makes the records of a case under one sigma; the same case gives the same records wherever that is.

    Args:
        system: what is smoothed.
        cases: where its cases come from.
        certifying: how.
        on_votes: called with the noisy copies of the case that have voted.
    """

    def __init__(
        self,
        system: System,
        cases: CaseSource,
        certifying: Certifying,
        on_votes: Callable[[int], None] | None = None,
    ) -> None:
        self.system, self.cases, self.how = system, cases, certifying
        self.on_votes = on_votes
        self._regions = dict(zip(system.class_names, system.class_indices, strict=True))
        self._groups = certifying.settings.groups_of(system)

    def __call__(self, asked: SmoothedCase) -> tuple[CaseRecord, ...] | str:
        """A record for each tau, after the clean one where that was missing; of a bad case, what is wrong with it."""
        try:
            return self._certified(asked)
        except ValueError as error:
            return case_fault(asked.case_id, error)

    def _certified(self, asked: SmoothedCase) -> tuple[CaseRecord, ...]:
        how, settings = self.how, self.how.settings
        case = evaluated_case(self.cases, asked.case_id, self.system, how.protocol).to(system_device(self.system))
        regions = [*self._regions.values(), *self._groups.values()]
        made: list[CaseRecord] = []
        if asked.clean is None:  # the network itself, not smoothed
            made.append(clean_record(self.system.model, case, (Dice(),), self.system.class_indices, how.seed))
        clean = made[0].clean if asked.clean is None else asked.clean
        smoothing = settings.smoothing(asked.sigma, how.seed)
        votes = self._votes(case, smoothing, asked.digest)
        counted = None if case.movable is None else case.movable[0, 0].cpu().numpy()
        questions = Questions(votes, smoothing.num_selection, regions, counted)
        for tau in settings.taus:
            certificate = questions.certificate(tau, settings.alpha)
            certified = certify_case(certificate, smoothing, case, self._regions, self._groups)
            made.append(_record(asked.case_id, clean, smoothing, certified, votes))
        return tuple(made)

    def _votes(self, case: Case, smoothing: Smoothing, digest: str) -> Votes:
        """What the noisy copies say; those of an interrupted run are on disk."""
        how = self.how
        path = how.directory / VOTES / f"{case.case_id}_sigma_{smoothing.sigma:.12g}.npz"
        file = VotesFile(path, digest, how.seconds_between)
        votes = file.load(self.system.num_classes, tuple(case.inputs.shape[2:]), smoothing)

        def on_batch(now: Votes) -> None:
            file.save(now, is_last=now.done == smoothing.total)
            if self.on_votes is not None:
                self.on_votes(now.done)

        if self.on_votes is not None:
            self.on_votes(votes.done)
        model = self.system.model
        with evaluation_mode(model):
            collect_votes(model, case, smoothing, votes, batch_size=how.batch_size, on_batch=on_batch)
        return votes


@dataclasses.dataclass(frozen=True)
class CertifyWorker:
    """Opens in a worker what the driver opened. Votes are written by whoever collects them.

    Args:
        system: as the driver opened it.
        cases: of the evaluation.
        certifying: how; its directory lies under the same path for every worker.
    """

    system: SystemNames
    cases: CarriedCases
    certifying: Certifying

    def __call__(self) -> CaseCertifier:
        """The function of the worker's jobs.

        Raises:
            ValueError: the system is not there, or is not what the driver opened.
        """
        opened = self.system.open()
        return CaseCertifier(opened.system, self.cases.open(opened.system), self.certifying)


def _record(
    case_id: str, clean: Mapping[str, PerClass], smoothing: Smoothing, certified: CertifiedCase, votes: Votes
) -> CaseRecord:
    """Its Dice is the lower bound: what a reader may count on."""
    return CaseRecord(
        case_id=case_id,
        condition=condition_name(smoothing.sigma),
        strength=certified.radius,
        clean=clean,
        measures={DICE: tuple(bounds.dice_lower for bounds in certified.classes.values())},
        num_forward=smoothing.total,
        seconds=votes.seconds,
        seed=smoothing.seed,
        certificate=certified,
    )
