"""CaseAttacker: what an evaluation does with one case, without a look at any other; it can run anywhere."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence

import torch

from rogseg.attacks import Attack, AttackResult, Composite, Criterion, ThreatModel
from rogseg.attacks.sweep import no_weaker
from rogseg.cases import Case, LogitFn, case_generator
from rogseg.engine.attacking.measured_case import clean_record, measured_case, scored_model
from rogseg.engine.case_recording import case_fault
from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord, PerClass
from rogseg.metrics import Measure, visibility

__all__ = ["AttackedCase", "CaseAttacker", "CleanCase", "MakeThreat", "OnResult"]

MakeThreat = Callable[[float, Case], ThreatModel]
OnResult = Callable[[Case, float, AttackResult], None]


@dataclasses.dataclass(frozen=True)
class CleanCase:
    """To be looked at without attack."""

    case_id: str


@dataclasses.dataclass(frozen=True)
class AttackedCase:
    """To be attacked.

    Args:
        case_id: its name.
        epsilons: ascending, in the unit of the threat. What is found at one counts at the next where that finds less.
        criterion: says when it has fallen.
        clean: measures of the clean prediction.
    """

    case_id: str
    epsilons: tuple[float, ...]
    criterion: Criterion
    clean: Mapping[str, PerClass]


@dataclasses.dataclass
class CaseAttacker:
    """Makes the records of one case; the same case gives the same records wherever that is, seconds aside.

    Args:
        model: scores of a whole case, (1, C, D, H, W) -> (1, K, D, H, W).
        attack: the attack; a composite's members are recorded one by one.
        name: what the attack is called in the records.
        make_threat: epsilon and a case -> threat model.
        load_case: case id -> case with its targets.
        measures: taken of every prediction.
        class_indices: those that make up each foreground class.
        seed: of all randomness.
        on_result: called with each result, for instance to save the volumes.
        max_passes: forward and backward passes of each search, both counted; None for no limit.
        max_minutes: of each search; None for no limit.
    """

    model: LogitFn
    attack: Attack
    name: str
    make_threat: MakeThreat
    load_case: Callable[[str], Case]
    measures: Sequence[Measure]
    class_indices: Sequence[Sequence[int]]
    seed: int = 0
    on_result: OnResult | None = None
    max_passes: int | None = None
    max_minutes: float | None = None

    def __post_init__(self) -> None:
        members = (*self.attack.attacks, *self.attack.two_class_attacks) if isinstance(self.attack, Composite) else ()
        for name in (self.name, *members):
            if name in (CLEAN, WORST_CASE):
                raise ValueError(f"an attack cannot be called {name!r}, reports have another use for that word")

    def __call__(self, asked: CleanCase | AttackedCase) -> tuple[CaseRecord, ...] | str:
        """The records of a case, without attack or under it; of one that cannot be used, what is wrong with it."""
        try:
            if isinstance(asked, AttackedCase):
                return self._attack(asked)
            case = self.load_case(asked.case_id)
            return (clean_record(self.model, case, self.measures, self.class_indices, self.seed),)
        except ValueError as error:
            return case_fault(asked.case_id, error)

    @property
    def last_record(self) -> str:
        """The condition whose record is the last of a case: a composite's own comes after those of its members."""
        return WORST_CASE if isinstance(self.attack, Composite) else self.name

    def _attack(self, asked: AttackedCase) -> tuple[CaseRecord, ...]:
        case = self.load_case(asked.case_id)
        assert case.targets is not None, "cases were checked when they were loaded"
        records: list[CaseRecord] = []
        smaller: AttackResult | None = None
        model = scored_model(self.model, case)
        for epsilon in asked.epsilons:
            result = self.attack(
                model,
                case.inputs,
                case.targets,
                self.make_threat(epsilon, case),
                asked.criterion,
                generator=case_generator(self.seed, case.case_id, epsilon, case.inputs.device),
                max_passes=self.max_passes,
                max_seconds=None if self.max_minutes is None else 60 * self.max_minutes,
            )
            smaller = result = result if smaller is None else no_weaker(result, smaller)
            if self.on_result is not None:
                self.on_result(case, epsilon, result)
            applies = bool(asked.criterion.applies(case.targets, result.dice.shape[1] + 1)[0])
            # Under the cascade a case that has fallen before the first member is met by none.
            named = {**result.members, self.last_record: result}
            records += [self._record(asked, case, epsilon, name, one, applies) for name, one in named.items()]
        return tuple(records)

    def _record(
        self, asked: AttackedCase, case: Case, epsilon: float, name: str, result: AttackResult, applies: bool
    ) -> CaseRecord:
        moved = (result.adversarial - case.inputs).double().abs().flatten(2).amax(2)[0]
        width = case.box.width.flatten().double().to(moved)
        raw = torch.tensor(case.raw_width, dtype=torch.float64, device=moved.device)
        return CaseRecord(
            case_id=case.case_id,
            condition=name,
            strength=epsilon,
            clean=asked.clean,
            measures=measured_case(result.prediction, case, self.measures, self.class_indices),
            success=bool(result.success[0]) if applies else None,
            distance_fraction=result.distance[0].item(),
            distance_network=tuple(moved.tolist()),
            distance_raw=tuple((moved / width * raw).tolist()) if case.raw_width else (),
            num_forward=result.num_forward,
            num_backward=result.num_backward,
            num_bad_gradients=result.num_bad_gradients,
            seconds=result.seconds,
            seed=self.seed,
            found_distance=_found(result),
            visibility=_visibility(case, result),
            stopped=result.stopped,
            not_run=result.not_run,
        )


def _found(result: AttackResult) -> float | None:
    if result.found_distance is None:
        return None
    found = result.found_distance[0].item()
    return None if math.isinf(found) else found


def _visibility(case: Case, result: AttackResult) -> dict[str, float]:
    lower, width = case.box.lower.to(case.inputs), case.box.width.to(case.inputs)
    clean, changed = (((volume - lower) / width)[0] for volume in (case.inputs, result.adversarial))
    return visibility(clean, changed, None if case.movable is None else case.movable[0, 0])
