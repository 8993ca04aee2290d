"""evaluate_certificates: any system, any cases, what no perturbation can change, a folder of records."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from rogseg.cases import Case
from rogseg.certification import CertifiedCase, Questions, Smoothing, Votes, certify_case, collect_votes, samples_needed
from rogseg.engine.attacking.case_attacker import scored_model
from rogseg.engine.attacking.robustness import ALL_CASES, evaluated_case
from rogseg.engine.case_selection import shard_of
from rogseg.engine.certifying.settings import SMOOTHING, CertificateSettings, condition_name
from rogseg.engine.certifying.votes_file import VotesFile
from rogseg.engine.digests import digest_of_json, environment
from rogseg.engine.evaluated_system import evaluated_channels, evaluated_system, record_versions
from rogseg.evaluation.case_record import CLEAN, DICE, TARGET_VOLUME, CaseRecord, PerClass
from rogseg.evaluation.identity import CaseSelection, Condition, EvaluationIdentity
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Dice, volume_ml
from rogseg.systems import CaseSource, Protocol, System

__all__ = ["evaluate_certificates"]

VOTES = "votes"


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
    device: torch.device | str = "cpu",
    on_progress: Callable[[int, int], None] | None = None,
) -> RecordFolder:
    """Certify cases of the smoothed system and record each; what was interrupted goes on, within a case, too.

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
        device: where cases are put.
        on_progress: called with the noisy copies that have voted, and with all there are.

    Raises:
        ValueError: settings, cases or records do not fit; the message says what to do.
    """
    case_ids = tuple(cases.case_ids if case_ids is None else case_ids)
    if not case_ids:
        raise ValueError("there is no case to certify")
    if batch_size < 1:
        raise ValueError(f"--batch-size is {batch_size}, it must be at least 1")
    groups = settings.groups_of(system)
    identity = EvaluationIdentity(
        system=evaluated_system(system),
        task=cases.task,
        classes=system.class_names,
        channels=evaluated_channels(system),
        data={case_id: cases.digest(case_id) for case_id in case_ids},
        condition=Condition("certificate", SMOOTHING, settings.describe(groups)),
        threat=None,
        criterion=None,
        protocol=protocol,
        window_size=system.window_size,
        overlap=None,
        measures=(Dice().describe(),),
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
        versions=record_versions(),
    )
    records = RecordFolder(out, identity, environment(device))
    digest, regions = (
        digest_of_json(identity.to_json()),
        dict(zip(system.class_names, system.class_indices, strict=True)),
    )
    wanted = [(case_id, sigma) for case_id in shard_of(case_ids, *shard) for sigma in settings.sigmas]
    copies = settings.num_selection + settings.num_samples
    todo = [pair for pair in wanted if not _is_done(records, *pair, settings)]

    for done, (case_id, sigma) in enumerate(todo, start=len(wanted) - len(todo)):
        case = evaluated_case(cases, case_id, system, protocol).to(device)
        _check_samples(case, settings, len({*regions.values(), *groups.values()}))
        if not records.has(case_id, CLEAN, 0.0):
            records.add(_clean_record(system, case, regions, seed))
        smoothing = settings.smoothing(sigma, seed)
        file = VotesFile(records.directory / VOTES / f"{case_id}_sigma_{sigma:g}.npz", digest, seconds_between)
        votes = file.load(system.num_classes, tuple(case.inputs.shape[2:]), smoothing)

        def on_batch(now: Votes, file: VotesFile = file, before: int = done * copies) -> None:
            file.save(now, is_last=now.done == copies)
            if on_progress is not None:
                on_progress(before + now.done, len(wanted) * copies)

        if on_progress is not None:
            on_progress(done * copies + votes.done, len(wanted) * copies)
        collect_votes(system.model, case, smoothing, votes, batch_size=batch_size, on_batch=on_batch)
        counted = None if case.movable is None else case.movable[0, 0].cpu().numpy()
        questions = Questions(votes, smoothing.num_selection, [*regions.values(), *groups.values()], counted)
        for tau in settings.taus:
            if not records.has(case_id, condition_name(sigma), smoothing.radius(tau)):
                certificate = questions.certificate(tau, settings.alpha)
                certified = certify_case(certificate, smoothing, case, regions, groups)
                records.add(_record(records, case_id, smoothing, certified, votes))
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


@torch.no_grad()
def _clean_record(system: System, case: Case, regions: dict[str, tuple[int, ...]], seed: int) -> CaseRecord:
    """The network itself, not smoothed, as an attack's clean record has it."""
    begin = time.perf_counter()
    scores = scored_model(system.model, case)(case.inputs)
    if not torch.isfinite(scores).all():
        raise ValueError(
            f"case {case.case_id!r}: the network gave outputs that are not finite: its weights are damaged or the "
            "case's intensities are"
        )
    assert case.targets is not None, "cases were checked when they were loaded"
    labels, targets = scores.argmax(1)[0].cpu().numpy(), case.targets[0].cpu().numpy()
    masks = [(np.isin(labels, part), np.isin(targets, part)) for part in regions.values()]
    spacing = case.spacing
    dice = tuple(Dice()(ours, true, spacing or (1.0, 1.0, 1.0)) if true.any() else None for ours, true in masks)
    measures: dict[str, PerClass] = {DICE: dice}
    if spacing is not None:
        measures[TARGET_VOLUME] = tuple(volume_ml(true, spacing) for _, true in masks)
    return CaseRecord.of_clean(case.case_id, measures, seed=seed, seconds=time.perf_counter() - begin)


def _record(
    records: RecordFolder, case_id: str, smoothing: Smoothing, certified: CertifiedCase, votes: Votes
) -> CaseRecord:
    """Its Dice is the lower bound: what a reader may count on."""
    return CaseRecord(
        case_id=case_id,
        condition=condition_name(smoothing.sigma),
        strength=certified.radius,
        clean=records.clean()[case_id].clean,
        measures={DICE: tuple(bounds.dice_lower for bounds in certified.classes.values())},
        num_forward=smoothing.total,
        seconds=votes.seconds,
        seed=smoothing.seed,
        certificate=certified,
    )
