"""The attack loop: every case without attack, then every case at every epsilon, each on record once it is done."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.attacks import Attack, AttackResult, Composite, Criterion, ThreatModel
from rogseg.cases import Case, LogitFn, case_generator
from rogseg.evaluation.case_record import CLEAN, DICE, TARGET_VOLUME, WORST_CASE, CaseRecord, PerClass
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.metrics import Measure, measure_classes, volume_ml

__all__ = ["AttackLoop", "mean_clean_dice", "measured", "scored_model"]

MakeThreat = Callable[[float, Case], ThreatModel]
OnResult = Callable[[Case, float, AttackResult], None]


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
class AttackLoop:
    """Evaluates one attack and writes its records; call `run` again after a kill and it goes on.

    Args:
        model: scores of a whole case, (1, C, D, H, W) -> (1, K, D, H, W).
        attack: the attack; a composite's members are recorded one by one.
        name: what the attack is called in the records.
        make_threat: epsilon and a case -> threat model.
        load_case: case id -> case with its targets.
        records: where records go.
        measures: taken of every prediction.
        class_indices: those that make up each foreground class.
        seed: of all randomness.
        on_result: called with each new result before it is on record, for instance to save the volumes.
    """

    model: LogitFn
    attack: Attack
    name: str
    make_threat: MakeThreat
    load_case: Callable[[str], Case]
    records: RecordFolder
    measures: Sequence[Measure]
    class_indices: Sequence[Sequence[int]]
    seed: int = 0
    on_result: OnResult | None = None

    def __post_init__(self) -> None:
        if self.name in (CLEAN, WORST_CASE):
            raise ValueError(f"an attack cannot be called {self.name!r}, reports have another use for that word")

    def run_clean(self, case_ids: Iterable[str]) -> float:
        """Evaluate what is missing without attack and give mu, the mean clean Dice over the cases.

        Every shard does this for all cases, because mu needs them all and costs one pass each.

        Raises:
            ValueError: no case has foreground, or the network's outputs are not finite.
        """
        case_ids = list(case_ids)
        for case_id in case_ids:
            if not self.records.has(case_id, CLEAN, 0.0):
                case, begin = self.load_case(case_id), time.perf_counter()
                with torch.no_grad():
                    scores = scored_model(self.model, case)(case.inputs)
                if not torch.isfinite(scores).all():
                    raise ValueError(
                        f"case {case_id!r}: the network gave outputs that are not finite, so every label would be an "
                        "accident: its weights are damaged or the case's intensities are"
                    )
                taken = {**self._measured(scores.argmax(1), case), **self._target_volume(case)}
                seconds = time.perf_counter() - begin
                self.records.add(CaseRecord.of_clean(case_id, taken, seed=self.seed, seconds=seconds))
        return mean_clean_dice(self.records.clean(), case_ids)

    def run(self, case_ids: Sequence[str], epsilons: Sequence[float], criterion: Criterion) -> None:
        """Attack what is missing; the criterion says when a case has fallen."""
        for epsilon in epsilons:
            for case_id in case_ids:
                if not self._is_done(case_id, epsilon):
                    self._attack(self.load_case(case_id), epsilon, criterion)

    def count_done(self, case_ids: Sequence[str], epsilons: Sequence[float]) -> int:
        """How many pairs of case and epsilon are on record."""
        return sum(self._is_done(case_id, epsilon) for epsilon in epsilons for case_id in case_ids)

    @property
    def _is_composite(self) -> bool:
        return isinstance(self.attack, Composite)

    def _is_done(self, case_id: str, epsilon: float) -> bool:
        # A composite's own record comes after those of its members, so it says that they are all there.
        return self.records.has(case_id, WORST_CASE if self._is_composite else self.name, epsilon)

    def _attack(self, case: Case, epsilon: float, criterion: Criterion) -> None:
        assert case.targets is not None, "cases were checked when they were loaded"
        result = self.attack(
            scored_model(self.model, case),
            case.inputs,
            case.targets,
            self.make_threat(epsilon, case),
            criterion,
            generator=case_generator(self.seed, case.case_id, epsilon, case.inputs.device),
        )
        if self.on_result is not None:
            self.on_result(case, epsilon, result)
        applies = bool(criterion.applies(case.targets, result.dice.shape[1] + 1)[0])
        # Under the cascade a case that has fallen before the first member is met by none.
        named = {**result.members, WORST_CASE: result} if self._is_composite else {self.name: result}
        for name, one in named.items():
            if not self.records.has(case.case_id, name, epsilon):
                self.records.add(self._record(case, epsilon, name, one, applies))

    def _record(self, case: Case, epsilon: float, name: str, result: AttackResult, applies: bool) -> CaseRecord:
        moved = (result.adversarial - case.inputs).double().abs().flatten(2).amax(2)[0]
        width = case.box.width.flatten().double().to(moved)
        raw = torch.tensor(case.raw_width, dtype=torch.float64, device=moved.device)
        return CaseRecord(
            case_id=case.case_id,
            condition=name,
            strength=epsilon,
            clean=self.records.clean()[case.case_id].clean,
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


def mean_clean_dice(clean: Mapping[str, CaseRecord], case_ids: Iterable[str]) -> float:
    """The mean clean Dice over the cases, mu.

    Raises:
        ValueError: no case has foreground.
    """
    means = [mean for case_id in case_ids if (mean := clean[case_id].mean_clean) is not None]
    if not means:
        raise ValueError("none of the cases has foreground, so there is no Dice to attack: choose other cases")
    return math.fsum(means) / len(means)


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
