"""The attack loop: clean Dice of every case, the success threshold, then every case at every epsilon, on record."""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from rogseg.attacks import Attack, AttackResult, Composite, Criterion, ThreatModel
from rogseg.attacks.foreground import case_dice
from rogseg.cases import LogitFn
from rogseg.engine.attacking.attack_cases import AttackCase
from rogseg.evaluation.case_record import CLEAN, WORST_CASE, CaseRecord
from rogseg.evaluation.robustness_report import RobustnessReport

__all__ = ["AttackLoop", "case_generator"]

LoadCase = Callable[[str], AttackCase]
MakeThreat = Callable[[float, AttackCase], ThreatModel]
OnResult = Callable[[AttackCase, float, AttackResult], None]


def case_generator(seed: int, case_id: str, epsilon: float, device: torch.device | str) -> torch.Generator:
    """A generator of this case and epsilon alone, so that results depend on no order, shard or restart."""
    digest = hashlib.sha256(f"{seed}/{case_id}/{epsilon!r}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7]))


class AttackLoop:
    """Evaluates one attack and writes its records; call `run` again after a kill and it goes on.

    Args:
        model: logits of a whole case, (1, C, D, H, W) -> (1, K, D, H, W).
        attack: the attack; a composite's members are recorded one by one.
        name: what the attack is called in the records.
        make_threat: epsilon, a fraction of the box's width, and a case -> threat model.
        load_case: case id -> case.
        report: where records go.
        seed: of all randomness.
        on_result: called with each new result, for instance to save the volumes.
    """

    def __init__(
        self,
        model: LogitFn,
        attack: Attack,
        name: str,
        make_threat: MakeThreat,
        load_case: LoadCase,
        report: RobustnessReport,
        *,
        seed: int = 0,
        on_result: OnResult | None = None,
    ) -> None:
        if name in (CLEAN, WORST_CASE):
            raise ValueError(f"an attack cannot be called {name!r}, the report has another use for that word")
        self.model, self.attack, self.name = model, attack, name
        self.make_threat, self.load_case, self.report = make_threat, load_case, report
        self.seed, self.on_result = seed, on_result
        self._is_composite = isinstance(attack, Composite)

    def run_clean(self, case_ids: Iterable[str]) -> float:
        """Evaluate what is missing without attack and give mu, the mean clean Dice over the cases.

        Every shard does this for all cases, because mu needs them all and costs one pass each.

        Raises:
            ValueError: no case has foreground.
        """
        case_ids = list(case_ids)
        for case_id in case_ids:
            if not self.report.has(case_id, CLEAN, 0.0):
                case = self.load_case(case_id)
                with torch.no_grad():
                    dice = case_dice(self.model(case.inputs).float(), case.targets)
                zeros = (0.0,) * case.inputs.shape[1]
                per_class = _dice_tuple(dice)
                self.report.add(
                    CaseRecord(case_id, CLEAN, 0.0, per_class, per_class, None, 0.0, zeros, zeros, 1, 0, 0.0, self.seed)
                )
        clean = self.report.clean()
        means = [mean for case_id in case_ids if (mean := clean[case_id].mean_clean) is not None]
        if not means:
            raise ValueError("none of the cases has foreground, so there is no Dice to attack: choose other cases")
        return math.fsum(means) / len(means)

    def run(self, case_ids: Sequence[str], epsilons: Sequence[float], criterion: Criterion) -> None:
        """Attack what is missing; the criterion says when a case has fallen."""
        for epsilon in epsilons:
            for case_id in case_ids:
                if not self._is_done(case_id, epsilon):
                    case = self.load_case(case_id)
                    result = self.attack(
                        self.model,
                        case.inputs,
                        case.targets,
                        self.make_threat(epsilon, case),
                        criterion,
                        generator=case_generator(self.seed, case_id, epsilon, case.inputs.device),
                    )
                    if self.on_result is not None:
                        self.on_result(case, epsilon, result)
                    self._record(case, epsilon, result, criterion)

    def count_done(self, case_ids: Sequence[str], epsilons: Sequence[float]) -> int:
        """How many pairs of case and epsilon are on record."""
        return sum(self._is_done(case_id, epsilon) for epsilon in epsilons for case_id in case_ids)

    def _is_done(self, case_id: str, epsilon: float) -> bool:
        # A composite's own record comes after those of its members, so it says that they are all there.
        return self.report.has(case_id, WORST_CASE if self._is_composite else self.name, epsilon)

    def _record(self, case: AttackCase, epsilon: float, result: AttackResult, criterion: Criterion) -> None:
        applies = bool(criterion.applies(case.targets, result.dice.shape[1] + 1)[0])
        # Under the cascade a case that has fallen before the first member is met by none.
        named = {**result.members, WORST_CASE: result} if self._is_composite else {self.name: result}
        clean = self.report.clean()[case.case_id]
        for name, one in named.items():
            if not self.report.has(case.case_id, name, epsilon):
                self.report.add(self._case_record(case, epsilon, name, one, clean, applies))

    def _case_record(
        self, case: AttackCase, epsilon: float, name: str, result: AttackResult, clean: CaseRecord, applies: bool
    ) -> CaseRecord:
        moved = (result.adversarial - case.inputs).double().abs().flatten(2).amax(2)[0]
        width = case.box.width.double().flatten().to(moved)
        fractions = moved / width
        found = None if result.found_distance is None else float(result.found_distance[0])
        return CaseRecord(
            case_id=case.case_id,
            attack=name,
            epsilon=epsilon,
            dice_clean=clean.dice_clean,
            dice_adversarial=_dice_tuple(result.dice),
            success=bool(result.success[0]) if applies else None,
            distance_fraction=float(result.distance[0]),
            distance_network=tuple(moved.tolist()),
            distance_raw=tuple(f * raw for f, raw in zip(fractions.tolist(), case.raw_width, strict=True)),
            num_forward=result.num_forward,
            num_backward=result.num_backward,
            seconds=result.seconds,
            seed=self.seed,
            found_distance=None if found is None or math.isinf(found) else found,
        )


def _dice_tuple(dice: Tensor) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in dice[0].tolist())
