"""What every attack is: a search for the worst volume that a threat model admits."""

import contextlib
import copy
import time
from abc import ABC, abstractmethod
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
from rogseg.attacks.result import AttackResult, Perturbation
from rogseg.attacks.threats import ThreatModel
from rogseg.cases import LogitFn

__all__ = ["Attack"]


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
            not_run=found.not_run,
        )

    @abstractmethod
    def perturb(self, problem: Problem, generator: torch.Generator) -> Perturbation:
        """The search itself; runs with gradients enabled, on checked and detached tensors.

        Args:
            problem: what is attacked and what is allowed.
            generator: the only source of randomness.
        """
