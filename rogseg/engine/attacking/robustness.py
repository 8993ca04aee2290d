"""evaluate_robustness: any system, any cases, one attack, a folder of records and a report."""

import dataclasses
import html
from collections.abc import Callable, Sequence
from pathlib import Path

from rogseg.attacks.sanity_checks import Effort
from rogseg.cases import ReferenceWidth
from rogseg.engine.attacking.case_attacker import AttackedCase, CaseAttacker, CleanCase, OnResult
from rogseg.engine.attacking.criterion_choice import (
    HALF_OF_CLEAN,
    build_criterion,
    of_recorded_classes,
    refuse_regions,
)
from rogseg.engine.attacking.evaluated_case import evaluated_case
from rogseg.engine.attacking.loop import NONE_IS_ATTACKED, AttackLoop
from rogseg.engine.attacking.sanity import check_model
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.attacking.threats import DEFAULT_THREAT, ThreatFactory
from rogseg.engine.case_recording import UnusableCases
from rogseg.engine.case_selection import ALL_CASES, shard_of
from rogseg.engine.device import system_device
from rogseg.engine.digests import environment
from rogseg.engine.evaluated_system import evaluation_identity
from rogseg.evaluation.case_record import DICE, CaseRecord
from rogseg.evaluation.identity import CaseSelection, Condition, CriterionSetting, ThreatSetting
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.evaluation.report_text import evaluation_tables
from rogseg.findings import SanityFinding
from rogseg.metrics import build_measures
from rogseg.registry import ATTACKS
from rogseg.systems import CaseSource, Protocol, System
from rogseg.workers import Workers

__all__ = [
    "Evaluation",
    "evaluate_robustness",
    "evaluated_case",
    "make_attacker",
    "threat_setting",
]

MOST_CHECKED = 5  # cases that the sanity checks may look at


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What `evaluate_robustness` leaves: the records, and what the sanity checks saw."""

    records: RecordFolder
    findings: tuple[SanityFinding, ...]

    def _repr_html_(self) -> str:
        """What a notebook shows: the tables, and what the checks found wrong."""
        tables = "".join(table._repr_html_() for table in evaluation_tables(self.records))
        wrong = [f"{one.name}: {one.seen}; {one.meaning}" for one in self.findings if not one.passed]
        return tables + "".join(f"<p><b>{html.escape(finding)}</b></p>" for finding in wrong)


def evaluate_robustness(
    system: System,
    cases: CaseSource,
    settings: AttackSettings,
    out: str | Path,
    *,
    protocol: Protocol = "volume",
    case_ids: Sequence[str] | None = None,
    selection: CaseSelection = ALL_CASES,
    shard: tuple[int, int] = (1, 1),
    seed: int = 0,
    fold: int | None = None,
    leak: str = "not known",
    reference: ReferenceWidth | None = None,
    sanity: Effort = "quick",
    workers: Workers[CleanCase | AttackedCase, tuple[CaseRecord, ...] | str] | None = None,
    on_result: OnResult | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_checks: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Attack cases of a system and record each; a run that was interrupted goes on where it stopped.

    Args:
        system: what is attacked.
        cases: where its cases come from.
        settings: attack, threat model, epsilons, criterion and measures.
        out: folder of the records; made if absent.
        protocol: whole volumes, or the system's one window around the foreground.
        case_ids: which of the cases; None is all.
        selection: how these were chosen, for the record.
        shard: (k, n) attacks every n-th case from the k-th on, counted from 1; the clean look is at all of them.
        seed: of all randomness.
        fold: that the cases are the validation part of.
        leak: what the system had seen of the cases, for the record.
        reference: width of the reference box, for the threat's unit ``reference``.
        sanity: effort of the checks; ``quick`` costs at most a tenth of the attack.
        workers: who attacks the cases, each with a `make_attacker` of its own; None attacks them in this process.
        on_result: called with each new result of this process before it is on record; workers have their own.
        on_progress: called with the pairs of case and epsilon that are done, and with all there are: first with what
            an earlier run has left.
        on_checks: called with the passes of the sanity checks that are done, and with about all there will be.

    Raises:
        ValueError: settings, cases or records do not fit; the message says what to do.
    """
    attacker = make_attacker(
        system, cases, settings, protocol=protocol, seed=seed, reference=reference, on_result=on_result
    )
    if attacker.attack.needs_gradient and not system.differentiable:
        raise ValueError(
            f"{settings.name} asks for gradients and {system.identity.name} has none ({system.identity.kind}); only "
            "attacks that query it can be made: --attack square or square_dice"
        )
    case_ids = tuple(cases.case_ids if case_ids is None else case_ids)
    if not case_ids:
        raise ValueError("there is no case to attack")
    unusable = UnusableCases(len(case_ids))
    identity = evaluation_identity(
        system,
        cases.task,
        unusable.digests(cases, case_ids),
        condition=Condition("attack", settings.name, settings.recorded),
        threat=threat_setting(settings, case_ids, reference),
        criterion=CriterionSetting(settings.criterion or HALF_OF_CLEAN, None, "the evaluated cases", case_ids),
        protocol=protocol,
        measures=attacker.measures,
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
    )
    unusable.refuse(NONE_IS_ATTACKED)
    records = RecordFolder(out, identity, environment(system_device(system)))
    if others := [settings.label_of(e) for e in sorted(set(records.strengths()) - set(settings.epsilons))]:
        raise ValueError(
            f"{out}: holds records at {', '.join(others)}; what one epsilon finds counts at the next larger, so name "
            "all of them after one --epsilon, or give another --out"
        )
    shard_ids = shard_of(case_ids, *shard)
    loop = AttackLoop(attacker, records, workers, cases.size, on_progress)
    mu = loop.run_clean(case_ids)
    if mu == 0:
        raise ValueError(
            f"{system.identity.name} finds none of the targets: its clean Dice is 0 in all of the cases, so there is "
            "nothing to attack; check its intensities, channels and classes, and the labels of the cases"
        )
    records.settle_mu(mu)
    loop.run(shard_ids, settings.epsilons, build_criterion(settings.criterion, mu, system))
    looked_at = [attacker.load_case(case_id) for case_id in shard_ids[:MOST_CHECKED]] if sanity != "none" else []
    findings = check_model(
        system, looked_at, attacker.make_threat, max(settings.epsilons), records, sanity, seed, on_passes=on_checks
    )
    return Evaluation(records, findings)


def make_attacker(
    system: System,
    cases: CaseSource,
    settings: AttackSettings,
    *,
    protocol: Protocol,
    seed: int,
    reference: ReferenceWidth | None,
    on_result: OnResult | None,
) -> CaseAttacker:
    """What makes the records of one case, here or in a worker; the arguments are those of `evaluate_robustness`.

    Raises:
        ValueError: the settings are wrong.
    """
    refuse_regions([settings.attack, settings.criterion], system)
    device, measures = system_device(system), build_measures(settings.measures)
    if DICE not in [measure.name for measure in measures]:
        raise ValueError(
            f"measures of {settings.name} are {', '.join(measure.name for measure in measures)}: {DICE} must be among "
            "them, since mu is the mean of it; add dict(type='Dice')"
        )
    return CaseAttacker(
        system.model,
        ATTACKS.build(of_recorded_classes(settings.attack, system)),
        settings.name,
        ThreatFactory(settings.threat, reference),
        lambda case_id: evaluated_case(cases, case_id, system, protocol).to(device),
        measures,
        system.class_indices,
        seed,
        on_result,
        settings.max_passes,
        settings.max_minutes,
    )


def threat_setting(
    settings: AttackSettings, case_ids: Sequence[str], reference: ReferenceWidth | None
) -> ThreatSetting:
    """What moves, unless all does, and the reference box of each case, where epsilon is a fraction of one."""
    moves = settings.threat.get("moves", DEFAULT_THREAT["moves"])
    options: dict[str, str | list[float]] = {} if moves == DEFAULT_THREAT["moves"] else {"moves": moves}
    if reference is not None:
        options |= {case_id: list(reference(case_id)) for case_id in case_ids}
    return ThreatSetting(settings.threat["type"], settings.threat["unit"], options)
