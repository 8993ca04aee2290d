"""Questions that every evaluation asks about itself before anybody believes its numbers.

Each check says what it saw and what that may mean. A failed check does not stop the evaluation; it ends in the report.
Source: the symptoms of broken evaluations in Carlini et al. 2019 (On evaluating adversarial robustness) and the flags
of the reference AutoAttack.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

__all__ = [
    "SanityFinding",
    "check_deterministic",
    "check_gradients",
    "check_large_epsilon",
    "check_logits",
    "check_more_budget",
    "check_square_against_white_box",
    "check_transfer",
]


@dataclass(frozen=True)
class SanityFinding:
    """What one check saw.

    Args:
        name: of the check.
        passed: nothing suspicious.
        seen: the numbers.
        meaning: what it may mean if it did not pass.
    """

    name: str
    passed: bool
    seen: str
    meaning: str


def check_logits(logits: Tensor) -> SanityFinding:
    """Whether (B, K, D, H, W) logits are raw, rather than probabilities."""
    in_range = bool(((logits >= 0) & (logits <= 1)).all())
    sums = logits.sum(1)
    to_one = bool((sums - 1).abs().max() < 1e-3)
    return SanityFinding(
        "logits are not probabilities",
        not in_range,
        f"outputs from {logits.min().item():.4g} to {logits.max().item():.4g}, "
        f"sums over classes from {sums.min().item():.4g} to {sums.max().item():.4g}"
        + (": probabilities of a softmax" if in_range and to_one else ""),
        "a softmax or sigmoid inside the network flattens the gradient and makes attacks weak; hand over raw logits",
    )


@torch.no_grad()
def check_deterministic(model: Callable[[Tensor], Tensor], inputs: Tensor) -> SanityFinding:
    """Whether two evaluations of the same inputs give the same logits; two forward passes."""
    first, second = model(inputs), model(inputs)
    difference = (first - second).abs().max().item()
    num_flipped = int((first.argmax(1) != second.argmax(1)).sum())
    return SanityFinding(
        "the model is deterministic",
        # Atomics on a GPU reorder sums; a random layer changes far more than that.
        num_flipped == 0 and difference <= 1e-4 * max(first.abs().max().item(), 1e-12),
        f"largest difference {difference:.3g}, {num_flipped} voxels labelled differently",
        "dropout or noise at test time: the attack follows a gradient of another network than the one that is scored; "
        "average over the randomness or switch it off",
    )


def check_gradients(
    model: Callable[[Tensor], Tensor], inputs: Tensor, targets: Tensor, *, limit: float = 0.5
) -> SanityFinding:
    """How many elements of the inputs have no gradient of the cross-entropy; one forward and backward pass.

    Args:
        model: LogitFn.
        inputs: (B, C, D, H, W).
        targets: (B, D, H, W).
        limit: share of elements without gradient above which the check fails.
    """
    with torch.enable_grad():
        leaf = inputs.detach().clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(leaf), targets)
        (gradient,) = torch.autograd.grad(loss, leaf)
    num_zero, num_bad = int((gradient == 0).sum()), int((~torch.isfinite(gradient)).sum())
    return SanityFinding(
        "gradients reach the inputs",
        num_zero <= limit * gradient.numel() and num_bad == 0,
        f"{num_zero} of {gradient.numel()} elements have zero gradient, {num_bad} are not finite",
        "gradients vanish (saturated loss, rounding, quantised inputs) and white-box attacks are blind; "
        "trust the margin or the black-box attack more, or rescale the logits",
    )


def check_square_against_white_box(square_dice: Tensor, white_box_dice: Tensor) -> SanityFinding:
    """Whether the black-box attack beats the best white-box attack on a case.

    Args:
        square_dice: (N,) Dice of each case; NaN for a case without foreground.
        white_box_dice: (N,) lowest Dice over the white-box attacks.
    """
    num_stronger = int((square_dice < white_box_dice - 1e-3).sum())
    return SanityFinding(
        "white-box attacks are at least as strong as Square",
        num_stronger == 0,
        f"mean Dice {square_dice.nanmean().item():.4f} under Square, {white_box_dice.nanmean().item():.4f} under "
        f"white-box attacks; Square is stronger on {num_stronger} of {len(square_dice)} cases",
        "masked gradients: an attack that sees them should not lose against one that only queries",
    )


def check_more_budget(name: str, mean_dice: Mapping[float, float], *, tolerance: float = 0.01) -> SanityFinding:
    """Whether the mean Dice falls, or stays, as a budget grows.

    Args:
        name: of the budget, e.g. "iterations" or "epsilon".
        mean_dice: by budget.
        tolerance: of the Dice: random starts differ.
    """
    ordered = sorted(mean_dice.items())
    worse = [b for (_, before), (b, after) in pairwise(ordered) if after > before + tolerance]
    return SanityFinding(
        f"more {name} is not weaker",
        not worse,
        "mean Dice " + ", ".join(f"{dice:.4f} at {budget:.4g}" for budget, dice in ordered),
        f"the attack does not make use of a larger {name}: look at step size, projection and choice of the iterate",
    )


def check_large_epsilon(dice: Tensor, epsilon: float, *, limit: float = 0.05) -> SanityFinding:
    """Whether Dice goes to about 0 where the ball is (nearly) the whole box.

    Args:
        dice: (N,) of each case; NaN for a case without foreground.
        epsilon: as a fraction of the box's width.
        limit: mean Dice that still counts as about 0.
    """
    mean = dice.nanmean().item()
    return SanityFinding(
        "an almost unbounded attack breaks the model",
        mean <= limit,
        f"mean Dice {mean:.4f} at epsilon {epsilon:.4g} of the box's width",
        "the gradient is masked, or the perturbed inputs never reach the network: smaller epsilons mean nothing",
    )


def check_transfer(transferred_dice: Tensor, white_box_dice: Tensor) -> SanityFinding:
    """Whether adversaries made on a surrogate beat those made on the model itself; both (N,)."""
    num_stronger = int((transferred_dice < white_box_dice - 1e-3).sum())
    return SanityFinding(
        "transfer from a surrogate is not stronger than the white box",
        not transferred_dice.nanmean() < white_box_dice.nanmean() - 1e-3,
        f"mean Dice {transferred_dice.nanmean().item():.4f} under transferred volumes, "
        f"{white_box_dice.nanmean().item():.4f} under white-box attacks; transfer is stronger on {num_stronger} cases",
        "masked gradients: the surrogate's are more useful than the model's own",
    )
