"""CaseAttacker: what an evaluation does with one case, without a look at any other; it can run anywhere."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.attacks import Attack, AttackResult, Composite, Criterion, ThreatModel
from rogseg.attacks.sweep import no_weaker
from rogseg.cases import Case, LogitFn, case_generator
from rogseg.engine.case_recording import case_fault
from rogseg.evaluation.case_record import CLEAN, DICE, TARGET_VOLUME, WORST_CASE, CaseRecord, PerClass
from rogseg.metrics import Measure, measure_classes, visibility, volume_ml

__all__ = ["AttackedCase", "CaseAttacker", "CleanCase", "MakeThreat", "OnResult", "measured", "scored_model"]

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


def scored_model(model: LogitFn, case: Case) -> LogitFn:
    """A model whose scores count only where the case does: elsewhere they say background, whatever the input.

    Args:
        model: scores of a whole case.
        case: with the voxels that may move and count; its targets must be background elsewhere.
    """
    if case.movable is None:
        return model
    counts = case.movable

    def scores_that_count(inputs: Tensor) -> Tensor:
        scores = model(inputs)
        background = torch.zeros_like(scores)
        # As sure as the surest score, so that scale-free objectives stay what they are.
        background[:, :1] = scores.detach().abs().amax()
        return torch.where(counts, scores, background)

    return scores_that_count


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
        if self.name in (CLEAN, WORST_CASE):
            raise ValueError(f"an attack cannot be called {self.name!r}, reports have another use for that word")

    def __call__(self, asked: CleanCase | AttackedCase) -> tuple[CaseRecord, ...] | str:
        """The records of a case, without attack or under it; of one that cannot be used, what is wrong with it."""
        try:
            return (self._look(asked.case_id),) if isinstance(asked, CleanCase) else self._attack(asked)
        except ValueError as error:
            return case_fault(asked.case_id, error)

    @property
    def last_record(self) -> str:
        """The condition whose record is the last of a case: a composite's own comes after those of its members."""
        return WORST_CASE if isinstance(self.attack, Composite) else self.name

    def _look(self, case_id: str) -> CaseRecord:
        case, begin = self.load_case(case_id), time.perf_counter()
        with torch.no_grad():
            scores = scored_model(self.model, case)(case.inputs)
        if not torch.isfinite(scores).all():
            raise ValueError(
                f"case {case_id!r}: the network gave outputs that are not finite, so every label would be an "
                "accident: its weights are damaged or the case's intensities are"
            )
        taken = {**self._measured(scores.argmax(1), case), **self._target_volume(case)}
        return CaseRecord.of_clean(case_id, taken, seed=self.seed, seconds=time.perf_counter() - begin)

    def _attack(self, asked: AttackedCase) -> tuple[CaseRecord, ...]:
        case = self.load_case(asked.case_id)
        assert case.targets is not None, "cases were checked when they were loaded"
        records: list[CaseRecord] = []
        smaller: AttackResult | None = None
        for epsilon in asked.epsilons:
            result = self.attack(
                scored_model(self.model, case),
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
            measures=self._measured(result.prediction, case),
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
        )

    def _measured(self, labels: Tensor, case: Case) -> dict[str, PerClass]:
        assert case.targets is not None, "cases were checked when they were loaded"
        prediction, target = (part[0].to(torch.uint8).cpu().numpy() for part in (labels, case.targets))
        if case.spacing is None and any(measure.unit for measure in self.measures):
            raise ValueError(
                f"case {case.case_id!r}: nothing says how large its voxels are, which "
                f"{', '.join(measure.name for measure in self.measures if measure.unit)} asks for; give it a spacing "
                "[mm], or take measures without a unit"
            )
        return measured(self.measures, prediction, target, case.spacing or (1.0, 1.0, 1.0), self.class_indices)

    def _target_volume(self, case: Case) -> dict[str, PerClass]:
        """How large each class is [ml]; nothing where the voxels have no size."""
        assert case.targets is not None, "cases were checked when they were loaded"
        if case.spacing is None:
            return {}
        target = case.targets[0].cpu().numpy()
        masks = (np.isin(target, of_class) for of_class in self.class_indices)
        return {TARGET_VOLUME: tuple(volume_ml(mask, case.spacing) for mask in masks)}


def measured(
    measures: Sequence[Measure],
    prediction: NDArray[np.uint8],
    target: NDArray[np.uint8],
    spacing: tuple[float, float, float],
    class_indices: Sequence[Sequence[int]],
) -> dict[str, PerClass]:
    """The measures of label maps (D, H, W); a class that the target lacks has no Dice, as attacks see it."""
    taken: dict[str, PerClass] = measure_classes(measures, prediction, target, spacing, class_indices)
    if DICE in taken:
        present = [np.isin(target, indices).any() for indices in class_indices]
        taken[DICE] = tuple(dice if here else None for dice, here in zip(taken[DICE], present, strict=True))
    return taken


def _found(result: AttackResult) -> float | None:
    if result.found_distance is None:
        return None
    found = result.found_distance[0].item()
    return None if math.isinf(found) else found


def _visibility(case: Case, result: AttackResult) -> dict[str, float]:
    lower, width = case.box.lower.to(case.inputs), case.box.width.to(case.inputs)
    clean, changed = (((volume - lower) / width)[0] for volume in (case.inputs, result.adversarial))
    return visibility(clean, changed, None if case.movable is None else case.movable[0, 0])
