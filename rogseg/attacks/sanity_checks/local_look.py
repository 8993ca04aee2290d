"""A look at a network around a few clean volumes: its outputs, its gradient, and whether one fits the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from rogseg.cases import IntensityBox, LogitFn

__all__ = ["LOOK_PASSES", "OUTPUT_PASSES", "LocalLook", "look_around"]

LOOK_PASSES = 7  # five forward passes and two backward ones
OUTPUT_PASSES = 2  # where there is no gradient
LARGE_STEP, SMALL_STEP, TINY_STEP = 2 / 255, 1e-3, 1e-4  # of the box's width


@dataclass(frozen=True)
class LocalLook:
    """What was measured around one case; rises are of the mean cross-entropy along the sign of its gradient.

    An element whose gradient is exactly zero moves with its neighbours: where it matters after all, a rise is not what
    was promised.

    Args:
        logits: (1, K, D, H, W) on the clean volume.
        again: the same, asked a second time, with a gradient where there is one.
        gradient: (1, C, D, H, W) of the mean cross-entropy; None where the logits carry none.
        small_change: root mean square change of the logits over a step of 1e-3 of the box's width, whatever is common
            to all classes of a voxel left out.
        tiny_change: the same over a step of 1e-4.
        tiny_share: rise over the step of 1e-4, divided by what the gradient promises.
        small_share: the same over a step of 1e-3.
        large_share: the same over a step of 2/255.
        after_step: the logits after that step.
        gradient_after: the gradient there; None where there is none.
        share_of_both: rise over that step, divided by what the mean of the gradients at its two ends promises.
    """

    logits: Tensor
    again: Tensor
    gradient: Tensor | None
    small_change: float
    tiny_change: float
    tiny_share: float
    small_share: float
    large_share: float
    after_step: Tensor
    gradient_after: Tensor | None
    share_of_both: float


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
        logits = model(inputs.clone()).float()  # a model may write into what it is given
        if not has_gradient:
            again, unknown = model(inputs.clone()).float(), math.nan
            return LocalLook(logits, again, None, unknown, unknown, unknown, unknown, unknown, logits, None, unknown)
    again, gradient = _with_gradient(model, inputs, targets)
    known = torch.zeros_like(inputs) if gradient is None else gradient
    # The step goes where the gradient points and is cut at the box, as an attack's would be.
    direction = _direction(known.nan_to_num(0.0, 0.0, 0.0))
    # Differences of nearly equal losses: in float64, or rounding would be all that is seen.
    before = F.cross_entropy(logits.double(), targets)

    def moved(length: float) -> Tensor:
        return box.clip(inputs + length * box.width.to(inputs) * direction)

    def share(stepped: Tensor, volume: Tensor, slope: Tensor) -> float:
        promised = float(((volume - inputs) * slope).double().sum())
        rise = float(F.cross_entropy(stepped.double(), targets) - before)
        return rise / promised if promised > 0 else math.nan

    def step(length: float) -> tuple[float, float]:
        volume = moved(length)
        with torch.no_grad():
            stepped = model(volume.clone()).float()
        change = (stepped - logits).double()
        change = change - change.mean(1, keepdim=True)
        return float(change.square().mean().sqrt()), share(stepped, volume, known)

    (small_change, small_share), (tiny_change, tiny_share) = step(SMALL_STEP), step(TINY_STEP)
    far = moved(LARGE_STEP)
    after_step, gradient_after = _with_gradient(model, far, targets)
    both = known if gradient_after is None else (known + gradient_after) / 2
    return LocalLook(
        logits, again, gradient, small_change, tiny_change, tiny_share, small_share, share(after_step, far, known),
        after_step, gradient_after, share(after_step, far, both),
    )  # fmt: skip


def _with_gradient(model: LogitFn, volume: Tensor, targets: Tensor) -> tuple[Tensor, Tensor | None]:
    """The logits of a volume, and the gradient of their cross-entropy where they have one."""
    with torch.enable_grad():
        leaf = volume.detach().clone().requires_grad_()
        logits = model(leaf).float()
        loss = F.cross_entropy(logits, targets)
        gradient = torch.autograd.grad(loss, leaf)[0] if loss.requires_grad else None
    return logits.detach(), gradient


def _direction(gradient: Tensor) -> Tensor:
    """The sign of a gradient; of an element without one that of its neighbours, or upwards."""
    sign = gradient.sign()
    around = F.avg_pool3d(F.pad(sign, [2] * 6), 5, stride=1).sign()
    return torch.where(sign != 0, sign, torch.where(around != 0, around, torch.ones_like(around)))


def numbers(values: Sequence[float]) -> str:
    """A few numbers for a sentence."""
    return ", ".join(f"{value:.3g}" for value in values)
