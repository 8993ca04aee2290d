"""A look at a network around a few clean volumes: its outputs, its gradient, and whether one fits the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.cases import IntensityBox, LogitFn

__all__ = ["LOOK_PASSES", "LocalLook", "look_around"]

LOOK_PASSES = 7  # six forward passes and a backward one
LARGE_STEP, SMALL_STEP, TINY_STEP = 2 / 255, 1e-3, 1e-4  # of the box's width


@dataclass(frozen=True)
class LocalLook:
    """What was measured around one case; rises are of the mean cross-entropy along the sign of its gradient.

    Args:
        logits: (1, K, D, H, W) on the clean volume.
        again: the same, asked a second time.
        with_gradient: the same, asked with a gradient.
        gradient: (1, C, D, H, W) of the mean cross-entropy; None where the logits carry none.
        small_change: root mean square change of the logits over a step of 1e-3 of the box's width.
        tiny_change: the same over a step of 1e-4.
        small_share: rise over the step of 1e-3, divided by what the gradient promises.
        large_share: the same over a step of 2/255.
        after_step: the logits after that step.
    """

    logits: Tensor
    again: Tensor
    with_gradient: Tensor
    gradient: Tensor | None
    small_change: float
    tiny_change: float
    small_share: float
    large_share: float
    after_step: Tensor


def look_around(
    model: LogitFn, inputs: Tensor, targets: Tensor, box: IntensityBox, *, has_gradient: bool = True
) -> LocalLook:
    """Measure a case by `LOOK_PASSES` passes.

    Args:
        model: LogitFn.
        inputs: (1, C, D, H, W), inside the box.
        targets: (1, D, H, W).
        box: valid intensities.
        has_gradient: whether a gradient may be asked for; if not, two passes are all, and rises are NaN.
    """
    with torch.no_grad():
        logits, again = model(inputs).float(), model(inputs).float()
    if not has_gradient:
        return LocalLook(logits, again, again, None, math.nan, math.nan, math.nan, math.nan, logits)
    with torch.enable_grad():
        leaf = inputs.detach().clone().requires_grad_()
        asked = model(leaf).float()
        loss = F.cross_entropy(asked, targets)
        gradient = torch.autograd.grad(loss, leaf)[0] if loss.requires_grad else None
    # The step goes where the gradient points and is cut at the box, as an attack's would be.
    direction = torch.zeros_like(inputs) if gradient is None else gradient.nan_to_num(0.0, 0.0, 0.0).sign()

    def step(length: float) -> tuple[float, float, Tensor]:
        moved = box.clip(inputs + length * box.width.to(inputs) * direction)
        promised = 0.0 if gradient is None else float(((moved - inputs) * gradient).double().sum())
        with torch.no_grad():
            stepped = model(moved).float()
        change = float((stepped - logits).double().square().mean().sqrt())
        # Differences of nearly equal losses: in float64, or rounding would be all that is seen.
        rise = F.cross_entropy(stepped.double(), targets) - F.cross_entropy(logits.double(), targets)
        return change, float(rise) / promised if promised > 0 else math.nan, stepped

    (small_change, small_share, _), (tiny_change, _, _), (_, large_share, after_step) = (
        step(length) for length in (SMALL_STEP, TINY_STEP, LARGE_STEP)
    )
    return LocalLook(
        logits, again, asked.detach(), gradient, small_change, tiny_change, small_share, large_share, after_step
    )


def numbers(values: Sequence[float]) -> str:
    """A few numbers for a sentence."""
    return ", ".join(f"{value:.3g}" for value in values)
