"""evaluate_certificates: any system, any cases, what no perturbation can change, a folder of records."""

from collections.abc import Callable, Sequence
from pathlib import Path

from rogseg.cases import Case
from rogseg.certification import Questions, samples_needed
from rogseg.engine.attacking.evaluated_case import evaluated_case
from rogseg.engine.case_recording import UnusableCases, case_fault, record_cases
from rogseg.engine.case_selection import ALL_CASES, shard_of
from rogseg.engine.certifying.case_certifier import CaseCertifier, Certifying, SmoothedCase
from rogseg.engine.certifying.settings import SMOOTHING, CertificateSettings, condition_name
from rogseg.engine.device import system_device
from rogseg.engine.digests import digest_of_json, environment
from rogseg.engine.evaluated_system import evaluation_identity
from rogseg.evaluation.case_record import CaseRecord
from rogseg.evaluation.identity import CaseSelection, Condition
from rogseg.evaluation.record_file import HEADER
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice
from rogseg.systems import CaseSource, Protocol, System
from rogseg.workers import InThisProcess, Job, Workers

__all__ = ["evaluate_certificates"]


def evaluate_certificates(
    system: System,
    cases: CaseSource,
    settings: CertificateSettings,
    out: str | Path,
    *,
    protocol: Protocol = "volume",
    case_ids: Sequence[str] | None = None,
    selection: CaseSelection = ALL_CASES,
    shard: tuple[int, int] = (1, 1),
    seed: int = 0,
    fold: int | None = None,
    leak: str = "not known",
    batch_size: int = 1,
    seconds_between: float = 30.0,
    workers: Workers[SmoothedCase, tuple[CaseRecord, ...] | str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> RecordFolder:
    """Certify cases of the smoothed system and record each; what was interrupted goes on, within a case, too.

    A case that cannot be used does not stop the others; all are named at the end.

    Args:
        system: what is smoothed; needs no gradient.
        cases: where its cases come from.
        settings: sigmas, taus and the number of noisy copies.
        out: folder of the records and of ``votes/``; made if absent.
        protocol: whole volumes, or the system's one window around the foreground.
        case_ids: which of the cases; None is all.
        selection: how these were chosen, for the record.
        shard: (k, n) certifies every n-th case from the k-th on, counted from 1.
        seed: of the noise.
        fold: that the cases are the validation part of.
        leak: what the system had seen of the cases, for the record.
        batch_size: noisy copies per call of the network.
        seconds_between: the least time between two savings of a case's votes [s].
        workers: who certifies, each with a `CaseCertifier` of its own; None certifies in this process.
        on_progress: called with the noisy copies that have voted, and with all there are; of workers, with those of
            the cases that they have done.

    Raises:
        ValueError: settings or records do not fit, or cases could not be used; the message says what to do.
    """
    case_ids = tuple(cases.case_ids if case_ids is None else case_ids)
    if not case_ids:
        raise ValueError("there is no case to certify")
    if batch_size < 1:
        raise ValueError(f"--batch-size is {batch_size}, it must be at least 1")
    groups, unusable = settings.groups_of(system), UnusableCases(len(case_ids))
    identity = evaluation_identity(
        system,
        cases.task,
        unusable.digests(cases, case_ids),
        condition=Condition("certificate", SMOOTHING, settings.describe(groups)),
        protocol=protocol,
        measures=(Dice(),),
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
    )
    known = RecordFolder(out, identity) if (Path(out) / HEADER).exists() else None
    mine = [case_id for case_id in shard_of(case_ids, *shard) if case_id not in unusable.case_ids]
    wanted = [(case_id, sigma) for case_id in mine for sigma in settings.sigmas]
    todo = [pair for pair in wanted if known is None or not _is_done(known, *pair, settings)]
    # A larger case asks for more samples, and nobody wants to hear of it after hours with the smaller ones.
    for case_id in dict.fromkeys(case_id for case_id, _ in todo):
        try:
            asked = evaluated_case(cases, case_id, system, protocol)
        except ValueError as error:
            unusable.note(case_id, case_fault(case_id, error))
            todo = [pair for pair in todo if pair[0] != case_id]
        else:
            _check_samples(asked, settings, len({*system.class_indices, *groups.values()}))
    # Only now: the header of a refused number of samples would stand in the way of the next.
    records = RecordFolder(out, identity, environment(system_device(system)))
    copies, before = settings.num_selection + settings.num_samples, len(wanted) - len(todo)
    done = 0

    def on_votes(voted: int) -> None:
        if on_progress is not None:
            on_progress((before + done) * copies + voted, len(wanted) * copies)

    def on_case(now: int) -> None:
        nonlocal done
        done = now
        on_votes(0)

    if workers is not None:  # in this process the first case says how far it had come
        on_votes(0)
    how = Certifying(settings, records.directory, protocol, seed, batch_size, seconds_between)
    certifying = workers or InThisProcess(CaseCertifier(system, cases, how, on_votes))
    clean, said = records.clean(), identity.to_json()
    jobs = [
        Job(
            f"case {case_id!r}",
            SmoothedCase(
                case_id,
                sigma,
                # Of this case alone: another one that was mended leaves its votes what they are.
                digest_of_json({**said, "data": identity.data[case_id]}),
                clean[case_id].clean if case_id in clean else None,
            ),
            cases.size(case_id),
        )
        for case_id, sigma in todo
    ]
    for asked, fault in record_cases(certifying, jobs, records, on_case):
        unusable.note(asked.case_id, fault)
    unusable.refuse()
    return records


def _is_done(records: RecordFolder, case_id: str, sigma: float, settings: CertificateSettings) -> bool:
    smoothing = settings.smoothing(sigma, 0)
    return all(records.has(case_id, condition_name(sigma), smoothing.radius(tau)) for tau in settings.taus)


def _check_samples(case: Case, settings: CertificateSettings, num_regions: int) -> None:
    """Refuse what could certify nothing, before the first noisy copy."""
    num_voxels = case.inputs[0, 0].numel() if case.movable is None else int(case.movable.sum())
    if num_voxels == 0:
        raise ValueError(
            f"case {case.case_id!r}: no voxel of it may move, so there is nothing to certify; leave it out"
        )
    tau = max(settings.taus)
    needed = samples_needed(tau, settings.alpha, Questions.most_asked(num_regions, num_voxels))
    if settings.num_samples < needed:
        raise ValueError(
            f"--samples {settings.num_samples}: at --tau {tau:g} and --alpha {settings.alpha:g} even a unanimous vote "
            f"proves nothing about the {num_voxels:,} voxels of case {case.case_id!r}; give at least {needed}, or a "
            "smaller --tau"
        )
