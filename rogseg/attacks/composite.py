"""Several attacks as one: every one in turn, and per case the worst of them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import Tensor

from rogseg.attacks.base import Attack, AttackResult, Perturbation
from rogseg.attacks.boundary_search import per_case
from rogseg.attacks.counted_model import CountedModel
from rogseg.attacks.criteria import Criterion
from rogseg.attacks.objectives import CrossEntropy
from rogseg.attacks.threat_model import ThreatModel
from rogseg.attacks.worst_case import worst_member
from rogseg.registry import ATTACKS

__all__ = ["Composite", "Mode", "build_members"]

Mode = Literal["all", "cascade"]
Members = Mapping[str, Attack | dict[str, Any]]


def build_members(members: Members) -> dict[str, Attack]:
    """Attacks by name, from instances or from configs of the ATTACKS registry."""
    return {name: member if isinstance(member, Attack) else ATTACKS.build(member) for name, member in members.items()}


@ATTACKS.register_module()
class Composite(Attack):
    """Runs its members and keeps, per case, the volume of the worst; every member's own result is in ``members``.

    Each member draws from its own random stream, so taking one out changes nothing for the others. In a cascade each
    standing case is attacked by itself: what a case meets must not depend on which of its neighbours have fallen. A
    member that met no case of the batch is absent from ``members``; its rows for cases that it did not meet hold the
    clean volume and NaN.

    Args:
        members: attacks by the name under which they are reported.
        mode: "all" runs every member on every case; "cascade" only on the cases that still stand.
        two_class_members: instead of the member of that name for a network of two classes; reported under the given
            name with " (two classes)" behind it.
    """

    def __init__(self, members: Members, mode: Mode = "all", two_class_members: Members | None = None) -> None:
        super().__init__(CrossEntropy())
        if mode not in ("all", "cascade"):
            raise ValueError(f"mode is {mode!r}, expected 'all' or 'cascade'")
        if not members:
            raise ValueError("members is empty: give at least one attack")
        unknown = sorted(set(two_class_members or {}) - set(members))
        if unknown:
            raise ValueError(f"two_class_members.{unknown[0]} replaces no member; members are {', '.join(members)}")
        self.attacks = build_members(members)
        self.two_class_attacks = build_members(two_class_members or {})
        self.mode = mode

    def perturb(
        self,
        model: CountedModel,
        inputs: Tensor,
        targets: Tensor,
        threat: ThreatModel,
        criterion: Criterion,
        *,
        generator: torch.Generator,
        start: Tensor | None,
    ) -> Perturbation:
        """Every member in turn."""
        with torch.no_grad():
            logits = model(inputs)
        attacks = dict(self._attacks_for(logits.shape[1]))
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        standing = ~criterion(logits, targets)
        results: dict[str, AttackResult] = {}
        for position, (name, attack) in enumerate(attacks.items()):
            success = self.member_criterion(position, criterion)
            problem = _Problem(model, inputs, targets, threat, success, start, seed, generator.device)
            if self.mode == "all":
                results[name] = problem.attack(name, attack)
            elif standing.any():
                results[name] = problem.attack_one_by_one(name, attack, standing, logits.shape[1])
                standing = standing & ~results[name].success
        if not results:
            return Perturbation(inputs)
        worst = worst_member(list(results.values()))
        chosen = inputs
        for index, result in enumerate(results.values()):
            chosen = torch.where(per_case(worst == index), result.adversarial, chosen)
        return Perturbation(chosen, members=results)

    def member_criterion(self, position: int, criterion: Criterion) -> Criterion:
        """What a member counts as a success; ``position`` is its place from 0 on."""
        return criterion

    def _attacks_for(self, num_classes: int) -> Iterable[tuple[str, Attack]]:
        for name, attack in self.attacks.items():
            if num_classes == 2 and name in self.two_class_attacks:
                yield f"{name} (two classes)", self.two_class_attacks[name]
            else:
                yield name, attack


@dataclass(frozen=True)
class _Problem:
    """What the members share."""

    model: CountedModel
    inputs: Tensor
    targets: Tensor
    threat: ThreatModel
    criterion: Criterion
    start: Tensor | None
    seed: int
    device: torch.device

    def attack(self, name: str, attack: Attack, case: int = 0) -> AttackResult:
        """A member on the whole batch; ``name`` and ``case`` choose its random stream."""
        digest = hashlib.sha256(f"{self.seed}/{name}/{case}".encode()).digest()
        result = attack(
            # Not the counted model: the member counts for itself, and may need the model's own type.
            self.model.model,
            self.inputs,
            self.targets,
            self.threat,
            self.criterion,
            generator=torch.Generator(self.device).manual_seed(int.from_bytes(digest[:7])),
            start=self.start,
        )
        self.model.num_forward += result.num_forward
        self.model.num_backward += result.num_backward
        return result

    def attack_one_by_one(self, name: str, attack: Attack, cases: Tensor, num_classes: int) -> AttackResult:
        """A member on the chosen cases (B,) bool."""
        nothing = torch.full((len(self.inputs),), torch.nan, dtype=torch.float64, device=self.inputs.device)
        result = AttackResult(
            adversarial=self.inputs.clone(),
            success=torch.zeros_like(nothing, dtype=torch.bool),
            dice=nothing[:, None].repeat(1, num_classes - 1),
            loss=nothing.to(self.inputs.dtype),
            distance=nothing.clone(),
            num_forward=0,
            num_backward=0,
            seconds=0.0,
            found_distance=nothing.clone(),
        )
        measures_distance = False
        for case in cases.nonzero().flatten().tolist():
            row = torch.tensor([case], device=self.inputs.device)
            part = replace(
                self,
                inputs=self.inputs[row],
                targets=self.targets[row],
                threat=self.threat.of_cases(row),
                start=None if self.start is None else self.start[row],
            )
            found = part.attack(name, attack, case)
            measures_distance = found.found_distance is not None
            result = _add(result, found, row)
        return result if measures_distance else replace(result, found_distance=None)


def _add(result: AttackResult, found: AttackResult, row: Tensor) -> AttackResult:
    """Write a single case's result into its row and add up the costs."""
    for field in fields(AttackResult):
        whole, one = getattr(result, field.name), getattr(found, field.name)
        if isinstance(whole, Tensor) and one is not None:
            whole[row] = one.to(whole)
    return replace(
        result,
        num_forward=result.num_forward + found.num_forward,
        num_backward=result.num_backward + found.num_backward,
        seconds=result.seconds + found.seconds,
    )
