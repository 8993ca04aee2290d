"""What every attack is: a search for the worst volume that a threat model admits."""

import contextlib
import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor

from rogseg.attacks.counted_model import CountedModel, PassesSpentError, WorstSeen
from rogseg.attacks.criteria import Criterion
from rogseg.attacks.foreground import case_dice
from rogseg.attacks.input_checks import check_box, check_found, check_inputs, check_start, check_targets
from rogseg.attacks.model_state import evaluation_mode, frozen_parameters
from rogseg.attacks.objectives.base import Objective, build_objective
from rogseg.attacks.problem import Problem
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import LogitFn
from rogseg.metrics import mean_foreground_dice

__all__ = ["Attack", "AttackResult", "Perturbation"]


@dataclass(frozen=True)
class Perturbation:
    """What a subclass's search hands back.

    Args:
        adversarial: (B, C, D, H, W).
        found_distance: (B,) in units of the box's width: length of the shortest adversary that a minimal-norm attack
            found, at whatever epsilon; infinity where it found none. None for attacks that search in the ball.
        members: results of a composite's members by name.
    """

    adversarial: Tensor
    found_distance: Tensor | None = None
    members: Mapping[str, "AttackResult"] = field(default_factory=dict)


@dataclass(frozen=True)
class AttackResult:
    """One adversarial volume per case and what the model makes of it.

    Args:
        adversarial: (B, C, D, H, W), in ball and box.
        prediction: (B, D, H, W) uint8, the class of every voxel of it.
        success: (B,) bool, the criterion on it.
        rank: (B,) float64, what results of a case are compared by, higher is worse for the network: `Criterion.rank`.
        dice: (B, K - 1) float64, per foreground class; NaN where neither target nor prediction has it, and in
            the whole row of a case without foreground.
        loss: (B,), the ruler of the attack's objective on it (the objective itself, for most).
        distance: (B,) float64, length of the perturbation in units of the box's width, in the threat's norm.
        num_forward: forward passes of the model over the batch, the final evaluation included. A pass over a part of
            the batch counts as one.
        num_backward: backward passes.
        num_bad_gradients: backward passes whose gradient held values that are not finite; those were set to zero.
        seconds: wall-clock, members included.
        stopped: whether the limit on passes or time ended the search.
        found_distance: see `Perturbation`.
        members: see `Perturbation`.
    """

    adversarial: Tensor
    prediction: Tensor
    success: Tensor
    rank: Tensor
    dice: Tensor
    loss: Tensor
    distance: Tensor
    num_forward: int
    num_backward: int
    seconds: float
    num_bad_gradients: int = 0
    stopped: bool = False
    found_distance: Tensor | None = None
    members: Mapping[str, "AttackResult"] = field(default_factory=dict)

    @property
    def mean_dice(self) -> Tensor:
        """Mean foreground Dice (B,); NaN for a case without foreground."""
        return mean_foreground_dice(self.dice)

    def _repr_html_(self) -> str:
        """What a notebook shows: a row per case."""
        classes = [f"Dice of class {index}" for index in range(1, self.dice.shape[1] + 1)]
        headings = ["case", "fallen", "mean Dice", *classes, "distance [box width]"]
        columns = zip(self.success, self.mean_dice, self.dice, self.distance, strict=True)
        rows = [
            [str(case), "yes" if fallen else "no", *(f"{value:.3f}" for value in (mean, *dice)), f"{distance:.4f}"]
            for case, (fallen, mean, dice, distance) in enumerate(columns)
        ]
        lines = ["".join(f"<th>{heading}</th>" for heading in headings)]
        lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        passes = f"{self.num_forward} forward and {self.num_backward} backward passes in {self.seconds:.1f} s"
        return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table><p>{passes}</p>"


class Attack(ABC):
    """An attack; subclasses write `perturb` and nothing else.

    Args:
        objective: what the attack ascends, an instance or a config of the OBJECTIVES registry.
    """

    needs_gradient: bool = True
    """Whether it asks for gradients; one that only asks for logits attacks networks that have none as well."""

    def __init__(self, objective: Objective | dict[str, Any]) -> None:
        self.objective = build_objective(objective)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__call__" in cls.__dict__:
            raise TypeError(
                f"{cls.__name__} overrides __call__, which checks and counts for every attack: write perturb"
            )

    @final
    def __call__(
        self,
        model: LogitFn,
        inputs: Tensor,
        targets: Tensor,
        threat: ThreatModel,
        criterion: Criterion,
        *,
        generator: torch.Generator,
        start: Tensor | None = None,
        keep_mode: bool = False,
        max_passes: int | None = None,
        max_seconds: float | None = None,
    ) -> AttackResult:
        """Search, then project, evaluate without gradient and assert the threat model.

        Args:
            model: LogitFn; its parameters and their requires_grad stay as they are. The modules behind it are put into
                evaluation mode meanwhile.
            inputs: (B, C, D, H, W) in the box; nothing couples the cases of a batch.
            targets: (B, D, H, W) class indices.
            threat: ball and box.
            criterion: when a case has fallen.
            generator: the only source of randomness.
            start: where to start instead of the attack's own start, (B, C, D, H, W); it is projected first.
            keep_mode: attack the model in the mode that it is in, training mode included.
            max_passes: forward and backward passes over the batch, both counted; an attack that wants more is stopped
                and hands back the worst volume that it had tried, by the criterion. None for no limit.
            max_seconds: the same for the time of the search; the pass that is under way is ended. What is found then
                depends on the machine.

        Raises:
            ValueError: wrong shapes, types or classes, values that are not finite or outside the box, a model that
                does not return the tensor of logits, all of them finite, at any call, or that writes into its input,
                or a search that gives no volume.
            AssertionError: the attack left the threat model.
        """
        begin = time.perf_counter()
        check_inputs(inputs)
        check_targets(inputs, targets)
        check_box(inputs, threat)
        if max_passes is not None and max_passes < 1:
            raise ValueError(f"max_passes is {max_passes}, the evaluation of the result alone takes 1")
        if max_seconds is not None and not max_seconds > 0:
            raise ValueError(f"max_seconds is {max_seconds}, it must be above 0")
        # Inside torch.inference_mode no graph can be built, whatever enable_grad says, and its tensors must be copied.
        mode = contextlib.nullcontext() if keep_mode else evaluation_mode(model)
        with torch.inference_mode(False), torch.enable_grad(), frozen_parameters(model), mode:
            inputs = inputs.clone() if inputs.is_inference() else inputs.detach()
            targets = targets.long().clone() if targets.is_inference() else targets.long()
            if start is not None:
                check_start(inputs, start)
                start = threat.project(inputs, start.detach())
            is_limited = max_passes is not None or max_seconds is not None
            worst = WorstSeen(inputs, targets, threat, criterion) if is_limited else None
            deadline = None if max_seconds is None else begin + max_seconds
            counted = CountedModel(model, int(targets.max()), max_passes, deadline, worst)
            # The search gets copies: what it writes into them moves neither the ball nor what is measured below.
            given = Problem(counted, inputs.clone(), targets.clone(), copy.deepcopy(threat), criterion, start)
            try:
                found = self.perturb(given, generator)
            except PassesSpentError:
                assert worst is not None, "there is a limit"
                found = Perturbation(worst.volume)
            counted.lift_limits()
            name = type(self).__name__
            if not isinstance(found, Perturbation):
                raise ValueError(
                    f"perturb of {name} gave a {type(found).__name__}: let it end with `return Perturbation(volume)`"
                )
            check_found(inputs, found.adversarial, name)
            adversarial = threat.project(inputs, found.adversarial.detach())
            with torch.no_grad():
                logits = counted(adversarial.clone())  # what is handed back is nobody else's
                loss = self.objective.ruler(logits, targets)
                success, rank = criterion(logits, targets), criterion.rank(logits, targets)
                dice = case_dice(logits, targets)
        threat.assert_admissible(inputs, adversarial)
        return AttackResult(
            adversarial=adversarial,
            prediction=logits.argmax(1).to(torch.uint8),
            success=success,
            rank=rank,
            dice=dice,
            loss=loss,
            distance=threat.distance(inputs, adversarial),
            num_forward=counted.num_forward,
            num_backward=counted.num_backward,
            num_bad_gradients=counted.num_bad_gradients,
            stopped=counted.was_stopped,
            seconds=time.perf_counter() - begin,
            found_distance=found.found_distance,
            members=found.members,
        )

    @abstractmethod
    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """The search itself; runs with gradients enabled, on checked and detached tensors.

        Args:
            problem: what is attacked and what is allowed.
            generator: the only source of randomness.
        """
