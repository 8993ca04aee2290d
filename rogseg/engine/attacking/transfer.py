"""Adversarial volumes of one system, read from their files by another one, or by the same, and scored there."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from rogseg.attacks import Criterion, ThreatModel
from rogseg.attacks.model_state import evaluation_mode
from rogseg.cases import Case, ReferenceWidth
from rogseg.engine.accuracy.raw_grid import RAW_GRID, grid_of
from rogseg.engine.attacking.criterion_choice import HALF_OF_CLEAN, build_criterion
from rogseg.engine.attacking.loop import mean_clean_dice
from rogseg.engine.attacking.measured_case import measured
from rogseg.engine.attacking.robustness import threat_setting
from rogseg.engine.attacking.save_adversarial import AdversarialFolder
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.threats import ThreatFactory
from rogseg.engine.case_selection import shard_of
from rogseg.engine.device import system_device
from rogseg.engine.digests import environment
from rogseg.engine.evaluated_system import evaluated_system, evaluation_identity
from rogseg.evaluation.case_record import TARGET_VOLUME, CaseRecord, PerClass
from rogseg.evaluation.identity import CaseSelection, Condition, CriterionSetting
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Measure, build_measures, volume_ml
from rogseg.preprocessing import Volume
from rogseg.storage import RawCase
from rogseg.systems import RawCases, System

__all__ = ["TransferSetting", "check_classes", "score_adversaries"]


@dataclasses.dataclass(frozen=True)
class TransferSetting:
    """What all pairs of a source and a target have in common.

    Args:
        attack: that made the volumes, with its threat model, epsilons, criterion and measures.
        task: name of the task.
        case_ids: of the evaluation.
        selection: how these were chosen.
        shard: which of them are scored.
        seed: of the attack.
        fold: that the cases are the validation part of.
        reference: width of the reference box, for the threat's unit ``reference``.
    """

    attack: AttackSettings
    task: str
    case_ids: tuple[str, ...]
    selection: CaseSelection
    shard: tuple[int, int] = (1, 1)
    seed: int = 0
    fold: int | None = None
    reference: ReferenceWidth | None = None


def score_adversaries(
    target: System,
    made: AdversarialFolder,
    out: str | Path,
    setting: TransferSetting,
    *,
    leak: str = "not known",
    on_progress: Callable[[int, int], None] | None = None,
) -> RecordFolder:
    """Give a system the files of adversarial volumes, and record what it makes of each, in the grid of the files.

    The clean files are scored in the same way, so that the numbers compare. What is on record is not done again.

    Args:
        target: that is given the files.
        made: the volumes, and the system that they were made on.
        out: folder of the records; made if absent.
        setting: what was attacked and how.
        leak: what the target had seen of the cases, for the record.
        on_progress: called with the volumes that are done, and with all there are.

    Raises:
        ValueError: a file cannot be used, the systems differ in their classes, or the folder holds other records.
    """
    check_classes(target, made.system)
    raw = {case_id: made.raw_case(case_id) for case_id in setting.case_ids}
    source = RawCases(target, list(raw.values()), setting.task)
    measures = build_measures(setting.attack.measures)
    criterion = setting.attack.criterion
    identity = evaluation_identity(
        target,
        setting.task,
        {case_id: source.digest(case_id) for case_id in setting.case_ids},
        condition=Condition("transfer", setting.attack.name, _config(setting.attack, made.system)),
        threat=threat_setting(setting.attack, setting.case_ids, setting.reference),
        criterion=CriterionSetting(criterion or HALF_OF_CLEAN, None, "the evaluated cases", setting.case_ids),
        protocol=RAW_GRID,
        measures=measures,
        selection=setting.selection,
        seed=setting.seed,
        fold=setting.fold,
        leak=leak,
    )
    records = RecordFolder(out, identity, environment(system_device(target)))
    for case_id in setting.case_ids:
        if not records.has(case_id, "clean", 0.0):
            records.add(_clean_record(target, raw[case_id], measures, setting.seed))
    mu = mean_clean_dice(records.clean(), setting.case_ids)
    records.settle_mu(mu)
    built = build_criterion(criterion, mu, target)
    make_threat = ThreatFactory(setting.attack.threat, setting.reference)
    scored = shard_of(setting.case_ids, *setting.shard)
    pairs = [(epsilon, case_id) for epsilon in setting.attack.epsilons for case_id in scored]
    for done, (epsilon, case_id) in enumerate(pairs):
        if on_progress is not None:
            on_progress(done, len(pairs))
        if records.has(case_id, setting.attack.name, epsilon):
            continue
        begin = time.perf_counter()
        adversary, _ = made.read(case_id, epsilon)
        seen = _seen(target, adversary, measures)
        clean = target.prepare(dataclasses.replace(raw[case_id], label=None))
        fraction, network, raw_units = _distances(clean, seen.case, make_threat(epsilon, clean))
        records.add(
            CaseRecord(
                case_id=case_id,
                condition=setting.attack.name,
                strength=epsilon,
                clean=records.clean()[case_id].clean,
                measures=seen.measures,
                success=_fell(seen, built, target.num_classes),
                distance_fraction=fraction,
                distance_network=network,
                distance_raw=raw_units,
                seconds=time.perf_counter() - begin,
                seed=setting.seed,
            )
        )
    if on_progress is not None:
        on_progress(len(pairs), len(pairs))
    return records


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A case as a system sees it, what it makes of it in the grid of its files, and how good that is."""

    case: Case
    labels: NDArray[np.uint8]
    target: NDArray[np.uint8]
    grid: Volume
    measures: dict[str, PerClass]


def _seen(system: System, raw: RawCase, measures: tuple[Measure, ...]) -> _Seen:
    case = system.prepare(dataclasses.replace(raw, label=None))
    with evaluation_mode(system.model):
        labels, grid = system.segment(case), grid_of(raw, case)
    target, counts = system.read_targets(raw, grid)
    if counts is not None:
        labels, target = (np.where(counts, part, 0).astype(np.uint8) for part in (labels, target))
    taken = measured(measures, labels, target, grid.spacing, system.class_indices)
    return _Seen(case, labels, target, grid, taken)


def _clean_record(system: System, raw: RawCase, measures: tuple[Measure, ...], seed: int) -> CaseRecord:
    begin = time.perf_counter()
    seen = _seen(system, raw, measures)
    masks = (np.isin(seen.target, of_class) for of_class in system.class_indices)
    volumes = tuple(volume_ml(mask, seen.grid.spacing) for mask in masks)
    taken = {**seen.measures, TARGET_VOLUME: volumes}
    return CaseRecord.of_clean(raw.case_id, taken, seed=seed, seconds=time.perf_counter() - begin)


def _distances(
    clean: Case, adversarial: Case, threat: ThreatModel
) -> tuple[float | None, tuple[float, ...], tuple[float, ...]]:
    """How far a case was moved as the system sees it: in the threat's norm, in network units, in raw units.

    Nothing where the two lie on different grids: a system that crops to what is not zero may see a larger part of the
    adversarial volume.
    """
    if clean.inputs.shape != adversarial.inputs.shape:
        return None, (), ()
    moved = (adversarial.inputs.double() - clean.inputs.double()).abs().flatten(2).amax(2)[0]
    width = clean.box.width.flatten().double()
    raw_width = torch.tensor(clean.raw_width, dtype=torch.float64)
    raw = tuple((moved / width * raw_width).tolist()) if clean.raw_width else ()
    return threat.distance(clean.inputs, adversarial.inputs)[0].item(), tuple(moved.tolist()), raw


def _fell(seen: _Seen, criterion: Criterion, num_classes: int) -> bool | None:
    """Whether the case has fallen; None where it cannot."""
    targets = torch.from_numpy(seen.target.astype(np.int64))[None]
    if not criterion.applies(targets, num_classes)[0]:
        return None
    # Criteria take no label maps: scores whose highest is the label.
    labels = torch.from_numpy(seen.labels.astype(np.int64))[None]
    return bool(criterion(functional.one_hot(labels, num_classes).movedim(-1, 1).float(), targets)[0])


def _config(attack: AttackSettings, surrogate: System) -> Mapping[str, Any]:
    """The attack, and all that decides what it was made on."""
    return {**attack.recorded, "surrogate": dataclasses.asdict(evaluated_system(surrogate))}


def check_classes(target: System, surrogate: System) -> None:
    """Refuse systems that do not segment the same classes.

    Raises:
        ValueError: they do not; the message lists both.
    """
    if target.class_names != surrogate.class_names:
        raise ValueError(
            f"{surrogate.identity.name} segments {', '.join(surrogate.class_names)} and {target.identity.name} "
            f"{', '.join(target.class_names)}: what is made against the one says nothing of the other; take networks "
            "of one task, whose classes have the same names in the same order"
        )
