"""The sanity checks that ask the network itself, beside what it was attacked by."""

from collections.abc import Callable, Sequence

from rogseg.attacks.model_state import evaluation_mode
from rogseg.attacks.sanity_checks import Effort, run_checks
from rogseg.attacks.threats import LinfThreat, ThreatModel
from rogseg.cases import Case
from rogseg.engine.attacking.case_attacker import MakeThreat
from rogseg.engine.attacking.measured_case import scored_model
from rogseg.engine.record_checks import aims_at_dice, lowest_dice, lowest_white_box_dice
from rogseg.evaluation.case_record import CLEAN, WORST_CASE
from rogseg.evaluation.epsilon_label import epsilon_label, norm_of_threat, strength_label
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import SanityFinding
from rogseg.progress import ProgressDisplay
from rogseg.systems.base import System

__all__ = ["check_model", "of_checks"]

LINF_EPSILON = 8 / 255


def check_model(
    system: System,
    cases: Sequence[Case],
    make_threat: MakeThreat,
    epsilon: float,
    records: RecordFolder,
    effort: Effort,
    seed: int,
    on_passes: Callable[[int, int], None] | None = None,
) -> tuple[SanityFinding, ...]:
    """Ask the network itself, beside what it was attacked by.

    Args:
        system: that was attacked.
        cases: some of those that were attacked.
        make_threat: as in the evaluation.
        epsilon: one of the evaluation.
        records: of the evaluation, which tell how many passes it took and what its white-box attacks found.
        effort: how many passes the checks may take.
        seed: of the starts.
        on_passes: see `run_checks`.
    """
    attacked = [record for record in records.records if record.condition != CLEAN]
    # A composite's own record counts the passes of its members.
    whole = [record for record in attacked if record.condition == WORST_CASE] or attacked
    white_box, recorded = lowest_white_box_dice(records, epsilon), lowest_dice(records, epsilon)
    if not aims_at_dice(records.identity):
        white_box = recorded = {}
    label = strength_label(records.identity, epsilon)
    if records.identity.threat is not None and norm_of_threat(records.identity.threat.type) not in ("Linf", "L2"):
        # The checks are of the network; APGD and Square look for it in a ball that both know.
        make_threat, epsilon, white_box, recorded = _linf_of, LINF_EPSILON, {}, {}
        label = f"{epsilon_label(epsilon, 'fraction')} in Linf"
    with evaluation_mode(system.model):
        return run_checks(
            lambda case: scored_model(system.model, case),
            cases,
            make_threat,
            epsilon,
            effort,
            sum(record.num_forward + record.num_backward for record in whole),
            has_gradient=system.differentiable,
            white_box=white_box,
            recorded=recorded,
            classes=system.class_indices,
            label=label,
            seed=seed,
            on_passes=on_passes,
        )


def of_checks(display: ProgressDisplay) -> Callable[[int, int], None]:
    """Shows how far the checks are, after the attacks, and says first what they will take."""

    def on_passes(done: int, total: int) -> None:
        if done == 0:
            display.begin("passes of the sanity checks")
            display.say(f"sanity checks begin: about {total} passes through the network")
        display.update(done, total)

    return on_passes


def _linf_of(epsilon: float, case: Case) -> ThreatModel:
    threat = LinfThreat.from_fraction(epsilon, case.box)
    return threat if case.movable is None else threat.within(case.movable)
