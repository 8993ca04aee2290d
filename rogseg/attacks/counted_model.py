"""The model as an attack sees it: every pass counted, every output and every gradient checked."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from rogseg.attacks.criteria import Criterion
from rogseg.attacks.threats import ThreatModel, per_case
from rogseg.cases import LogitFn

__all__ = ["CountedModel", "PassesSpentError", "WorstSeen", "is_finite", "value_and_gradient"]


class PassesSpentError(RuntimeError):
    """The next pass would exceed the limit on passes or time; `Attack.__call__` catches it."""


class WorstSeen:
    """The worst volume of each case among those that the model was asked for, ball and box allowing.

    An attack that is stopped in the middle has handed nothing back; this is what it would have had. A case of which the
    criterion can say nothing keeps its clean volume.

    Args:
        inputs: (B, C, D, H, W), the clean volumes.
        targets: (B, D, H, W).
        threat: ball and box.
        criterion: says which volume is worse.
    """

    def __init__(self, inputs: Tensor, targets: Tensor, threat: ThreatModel, criterion: Criterion) -> None:
        self.inputs, self.targets, self.threat, self.criterion = inputs, targets, threat, criterion
        self.volume = inputs
        self.rank = torch.full((len(inputs),), -torch.inf, dtype=torch.float64, device=inputs.device)

    @torch.no_grad()
    def see(self, volume: Tensor, logits: Tensor) -> None:
        """Look at a volume that the model was asked for, and what it said; parts of the batch are passed over."""
        if volume.shape != self.inputs.shape:
            return
        rank = self.criterion.rank(logits, self.targets)
        worse = (rank > self.rank) & self.threat.contains(self.inputs, volume)
        if worse.any():
            # A new tensor: the attack may go on writing into its own.
            self.volume = torch.where(per_case(worse), volume.detach(), self.volume)
            self.rank = torch.where(worse, rank, self.rank)


class CountedModel:
    """A model whose every forward and backward pass is counted, whatever the attack does.

    A backward pass is counted by a hook on the logits, so that one that an attack starts by itself counts too. A
    gradient that is not finite is zeroed where it is not, at the logits and at the inputs, and its pass is counted:
    a single NaN would otherwise reach every voxel through the norm of an L2 step or a hyperplane.

    Args:
        model: LogitFn.
        highest_target: the highest class in the targets; the model must have it.
        max_passes: forward and backward passes, both counted, that may be made; one of them is kept for the evaluation
            of the result. None for no limit.
        deadline: value of `time.perf_counter` after which no pass begins. None for no limit.
        worst: looks at every volume where there is a limit.
    """

    def __init__(
        self,
        model: LogitFn,
        highest_target: int,
        max_passes: int | None = None,
        deadline: float | None = None,
        worst: WorstSeen | None = None,
    ) -> None:
        self.model = model
        self.highest_target = highest_target
        self.num_forward = 0
        self.num_backward = 0
        self.num_bad_gradients = 0
        self.max_passes = max_passes
        self.deadline = deadline
        self.worst = worst
        self.was_stopped = False
        self._is_pass_bad = False

    def __call__(self, inputs: Tensor) -> Tensor:
        """(B, C, D, H, W) -> (B, K, D, H, W) raw logits, at least float32.

        Raises:
            ValueError: the output is no tensor, has a wrong shape or too few classes, or is not finite, or the model
                wrote into its input.
            PassesSpentError: the pass, with a backward pass if one can follow, would exceed the limit.
        """
        left = self.passes_left
        needed = 2 if inputs.requires_grad and torch.is_grad_enabled() else 1
        if self._is_late() or (left is not None and left < needed):
            self.was_stopped = True
            raise PassesSpentError
        if inputs.requires_grad:
            # An alias of its own for each call: hooks on the attack's tensor would pile up.
            inputs = inputs.view_as(inputs)
            inputs.register_hook(self._mend_gradient)  # type: ignore[no-untyped-call]
        before = None if inputs.is_inference() else inputs._version
        # Versions do not tell of writing through numpy or .data: the first call is compared as well.
        kept = inputs.detach().clone() if self.num_forward == 0 else None
        logits = self.model(inputs)
        if (before is not None and inputs._version != before) or not (kept is None or torch.equal(inputs, kept)):
            raise ValueError(
                "the model changes its input in place, so the attack would go on from another volume: let it begin "
                "with inputs = inputs.clone()"
            )
        self._check(inputs, logits)
        self.count_forward(logits)
        if self.worst is not None:
            self.worst.see(inputs, logits)
        if logits.requires_grad:
            logits.register_hook(self._count_backward)  # type: ignore[no-untyped-call]
        return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits

    @property
    def passes_left(self) -> int | None:
        """How many passes a search may still make; None for no limit."""
        if self.max_passes is None:
            return None
        return max(0, self.max_passes - 1 - self.num_forward - self.num_backward)

    @property
    def seconds_left(self) -> float | None:
        """How long a search may still take, always above 0; None for no limit."""
        return None if self.deadline is None else max(1e-6, self.deadline - time.perf_counter())

    def must_stop(self) -> bool:
        """Whether a search that wants to go on may not: nothing is left of the passes or of the time."""
        if self.passes_left == 0 or self._is_late():
            self.was_stopped = True
        return self.was_stopped

    def _is_late(self) -> bool:
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def lift_limits(self) -> None:
        """Allow the evaluation of the result, which is kept for whatever the search took."""
        self.max_passes = self.deadline = None

    def count_forward(self, *logits: Tensor) -> None:
        """Count one forward pass and check what came out, in one tensor or in several.

        Raises:
            ValueError: the logits are not finite.
        """
        self.num_forward += 1
        if not all(is_finite(part) for part in logits):
            raise ValueError(
                f"the model returned logits that are not finite at call {self.num_forward} of the attack: check the "
                "checkpoint, the inputs' scaling and the precision (float16 overflows beyond 65504)"
            )

    def count_passes(self, num_forward: int, num_backward: int, num_bad_gradients: int) -> None:
        """Add the passes of an attack that counted for itself."""
        self.num_forward += num_forward
        self.num_backward += num_backward
        self.num_bad_gradients += num_bad_gradients

    def _count_backward(self, gradient: Tensor) -> Tensor | None:
        self.num_backward += 1
        self._is_pass_bad = False
        return self._mend_gradient(gradient)

    def _mend_gradient(self, gradient: Tensor) -> Tensor | None:
        if is_finite(gradient):
            return None
        if not self._is_pass_bad:
            self._is_pass_bad = True
            self.num_bad_gradients += 1
        return gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)

    def _check(self, inputs: Tensor, logits: Tensor) -> None:
        if not isinstance(logits, Tensor):
            raise ValueError(
                f"the model returned a {type(logits).__name__}, an attack needs the tensor of raw logits: "
                "wrap the model, for instance `lambda inputs: model(inputs)[0]`"
            )
        if not logits.is_floating_point():
            raise ValueError(
                f"the model returned {logits.dtype}, an attack needs raw logits, real numbers that have a gradient: "
                "leave the last step of the model away"
            )
        if logits.ndim != 5 or len(logits) != len(inputs) or logits.shape[2:] != inputs.shape[2:]:
            raise ValueError(
                f"the model returned logits of shape {tuple(logits.shape)} for inputs {tuple(inputs.shape)}; expected "
                "(B, K, D, H, W) on the grid of the inputs: resample or pad inside the callable"
            )
        if logits.shape[1] < 2 or self.highest_target >= logits.shape[1]:
            raise ValueError(
                f"the targets hold class {self.highest_target} but the model has {logits.shape[1]} classes (background "
                "included, at least 2): use the labels of the task that the model was trained on"
            )


def is_finite(values: Tensor) -> bool:
    """Whether every element is finite; nearly always one sum and no mask of the tensor's size."""
    return bool(values.detach().sum(dtype=torch.float32).isfinite()) or bool(torch.isfinite(values).all())


def value_and_gradient(
    model: LogitFn, objective: Callable[[Tensor, Tensor], Tensor], inputs: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """One forward and one backward pass; nothing of the graph survives.

    Returns:
        the objective (B,), its gradient with respect to the inputs (B, C, D, H, W), the logits (B, K, D, H, W);
        all detached.

    Raises:
        ValueError: the logits do not depend on the inputs in a way that autograd knows.
    """
    with torch.enable_grad():
        leaf = inputs.detach().requires_grad_()
        logits = model(leaf)
        values = objective(logits, targets)
        if not values.requires_grad:
            raise ValueError(
                "the model's logits carry no gradient for its inputs: hand over a differentiable network, or take an "
                "attack that needs none, such as Square"
            )
        (gradient,) = torch.autograd.grad(values.sum(), leaf)
    return values.detach(), gradient, logits.detach()
