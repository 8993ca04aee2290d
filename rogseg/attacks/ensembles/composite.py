"""Several attacks as one: every one in turn, and per case the worst of them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import Tensor

from rogseg.attacks.base import Attack
from rogseg.attacks.criteria import Criterion
from rogseg.attacks.objectives import CrossEntropy
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import AttackResult, Perturbation
from rogseg.attacks.threats import per_case
from rogseg.registry import ATTACKS

__all__ = ["Composite", "Mode", "build_members", "worst_member", "worst_volumes"]

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
        every = (*self.attacks.values(), *self.two_class_attacks.values())
        self.needs_gradient = any(attack.needs_gradient for attack in every)

    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """Every member in turn."""
        with torch.no_grad():
            logits = problem.model(problem.inputs)
        seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
        standing = ~problem.criterion(logits, problem.targets)
        results: dict[str, AttackResult] = {}
        not_run: tuple[str, ...] = ()
        members = dict(self._attacks_for(logits.shape[1]))
        for position, (name, attack) in enumerate(members.items()):
            asked = replace(
                problem,
                criterion=self.member_criterion(position, problem.criterion),
                start=self.member_start(name, results, problem),
            )
            if (self.mode == "all" or standing.any()) and problem.model.must_stop():
                not_run = tuple(members)[position:]
                break
            member = _Member(name, attack, seed, generator.device)
            if self.mode == "all":
                results[name] = member.on_all(asked)
            elif standing.any():
                results[name] = member.one_by_one(asked, standing, logits.shape[1])
                standing = standing & ~results[name].success
        return Perturbation(worst_volumes(results, problem.inputs), members=results, not_run=not_run)

    def member_criterion(self, position: int, criterion: Criterion) -> Criterion:
        """What a member counts as a success; ``position`` is its place from 0 on."""
        return criterion

    def member_start(self, name: str, results: Mapping[str, AttackResult], problem: Problem) -> Tensor | None:
        """Where a member starts, given the results of those before it; None is its own start."""
        return problem.start

    def _attacks_for(self, num_classes: int) -> Iterable[tuple[str, Attack]]:
        for name, attack in self.attacks.items():
            if num_classes == 2 and name in self.two_class_attacks:
                yield f"{name} (two classes)", self.two_class_attacks[name]
            else:
                yield name, attack


@dataclass(frozen=True)
class _Member:
    """One member with its own random stream, which depends on the composite's seed and the member's name alone."""

    name: str
    attack: Attack
    seed: int
    device: torch.device

    def on_all(self, problem: Problem, case: int = 0) -> AttackResult:
        """The member on the whole batch; ``case`` is part of its random stream."""
        digest = hashlib.sha256(f"{self.seed}/{self.name}/{case}".encode()).digest()
        result = self.attack(
            # Not the counted model: the member counts for itself, and may need the model's own type.
            problem.model.model,
            problem.inputs,
            problem.targets,
            problem.threat,
            problem.criterion,
            generator=torch.Generator(self.device).manual_seed(int.from_bytes(digest[:7])),
            start=problem.start,
            keep_mode=True,
            max_passes=problem.model.passes_left,
            max_seconds=problem.model.seconds_left,
        )
        problem.model.count_passes(result.num_forward, result.num_backward, result.num_bad_gradients)
        problem.model.was_stopped |= result.stopped
        return result

    def one_by_one(self, problem: Problem, cases: Tensor, num_classes: int) -> AttackResult:
        """The member on the chosen cases (B,) bool, each by itself."""
        inputs = problem.inputs
        nothing = torch.full((len(inputs),), torch.nan, dtype=torch.float64, device=inputs.device)
        result = AttackResult(
            adversarial=inputs.clone(),
            prediction=torch.zeros_like(problem.targets, dtype=torch.uint8),
            success=torch.zeros_like(nothing, dtype=torch.bool),
            rank=torch.full_like(nothing, -torch.inf),
            dice=nothing[:, None].repeat(1, num_classes - 1),
            loss=nothing.to(inputs.dtype),
            distance=nothing.clone(),
            num_forward=0,
            num_backward=0,
            seconds=0.0,
            found_distance=nothing.clone(),
        )
        measures_distance = False
        for case in cases.nonzero().flatten().tolist():
            if problem.model.must_stop():
                break
            row = torch.tensor([case], device=inputs.device)
            found = self.on_all(problem.of_cases(row), case)
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
        num_bad_gradients=result.num_bad_gradients + found.num_bad_gradients,
        seconds=result.seconds + found.seconds,
        stopped=result.stopped or found.stopped,
    )


def worst_member(results: Sequence[AttackResult]) -> Tensor:
    """Which result is the worst for each case, (B,) int64.

    A success beats a failure, then the one nearer to the criterion's aim wins (of `DiceBelow` the lower mean Dice),
    then the earlier result. A case of which nothing can be said, or that a member was not run on, never beats another.
    """
    return torch.stack([result.rank for result in results]).argmax(dim=0)


def worst_volumes(results: Mapping[str, AttackResult], inputs: Tensor) -> Tensor:
    """The volume of the worst result for each case, (B, C, D, H, W); the inputs where there is no result."""
    chosen = inputs
    if results:
        worst = worst_member(list(results.values()))
        for index, result in enumerate(results.values()):
            chosen = torch.where(per_case(worst == index), result.adversarial, chosen)
    return chosen
