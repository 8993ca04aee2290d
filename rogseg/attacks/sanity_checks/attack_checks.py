"""Questions to the results of attacks: more budget, nearly the whole box, a black box, another network's volumes."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor

from rogseg.findings import ALMOST_UNBOUNDED, STRONGER_CHECKS, WEAKER_SQUARE, SanityFinding

__all__ = [
    "check_large_epsilon",
    "check_more_budget",
    "check_near_clean",
    "check_recorded",
    "check_square_against_white_box",
    "check_transfer",
]


def check_near_clean(
    clean: Tensor, attacked: Tensor, num_iterations: int, *, gradient_holds: bool = False, margin: float = 0.02
) -> SanityFinding:
    """Whether many iterations leave the Dice where it was, and nothing explains that.

    Args:
        clean: (N,) Dice of each case without attack; NaN for a case without foreground.
        attacked: (N,) under the attack.
        num_iterations: of the attack.
        gradient_holds: whether the gradient kept its promises and led, in nearly the whole box, to a broken network:
            then a network is robust at this epsilon.
        margin: of the mean Dice under which nothing has happened.
    """
    before, after = clean.nanmean().item(), attacked.nanmean().item()
    return SanityFinding(
        "many iterations move the Dice",
        "warning" if before > margin and after > before - margin and not gradient_holds else "ok",
        f"mean Dice {before:.4f} without attack, {after:.4f} after {num_iterations} iterations",
        "this needs an explanation: a small epsilon, adversarial training, or a gradient that is masked",
    )


def check_square_against_white_box(
    square_dice: Tensor, white_box_dice: Tensor, margin: Tensor | float = 0.01
) -> SanityFinding:
    """Whether the black-box attack beats the best white-box attack on a case.

    Args:
        square_dice: (N,) Dice of each case; NaN for a case without foreground.
        white_box_dice: (N,) lowest Dice over the white-box attacks.
        margin: of the Dice, by which two equally strong searches may differ; (N,) or one for all.
    """
    margin = torch.as_tensor(margin, dtype=square_dice.dtype).expand_as(square_dice)
    num_stronger = int((square_dice < white_box_dice - margin).sum())
    return SanityFinding(
        WEAKER_SQUARE,
        "failed"
        if square_dice.nanmean() < (white_box_dice - margin).nanmean()
        else "warning"
        if num_stronger
        else "ok",
        f"mean Dice {square_dice.nanmean().item():.4f} under Square, {white_box_dice.nanmean().item():.4f} under "
        f"white-box attacks; Square is stronger on {num_stronger} of {len(square_dice)} cases",
        "masked gradients: an attack that sees them should not lose against one that only queries",
    )


def check_recorded(found: Tensor, recorded: Tensor, margin: Tensor | float = 0.01) -> SanityFinding:
    """Whether the attacks on record leave as little as what the checks themselves found.

    Args:
        found: (N,) lowest Dice of each case over the checks' attacks; NaN for a case without foreground.
        recorded: (N,) lowest Dice over the attacks on record; NaN where none met the case.
        margin: of the Dice, by which two equally strong searches may differ; (N,) or one for all.
    """
    found = torch.where(recorded.isnan(), recorded, found)
    return SanityFinding(
        STRONGER_CHECKS,
        "warning" if found.nanmean() < (recorded - margin).nanmean() else "ok",
        f"mean Dice {recorded.nanmean().item():.4f} under the attacks on record, {found.nanmean().item():.4f} under "
        "those of the checks",
        "the attacks on record are too weak, so the network is less robust than they say: give them more iterations, "
        "or run an ensemble",
    )


def check_more_budget(
    name: str,
    mean_dice: Mapping[float, float],
    *,
    tolerance: float = 0.01,
    label: Callable[[float], str] = "{:.4g}".format,
) -> SanityFinding:
    """Whether the mean Dice falls, or stays, as a budget grows.

    Args:
        name: of the budget, e.g. "iterations" or "epsilon".
        mean_dice: by budget.
        tolerance: of the Dice: random starts differ.
        label: a budget as it is written.
    """
    ordered = sorted(mean_dice.items())
    worse = [b for (_, before), (b, after) in pairwise(ordered) if after > before + tolerance]
    return SanityFinding(
        f"more {name} is not weaker",
        "failed" if worse else "ok",
        "mean Dice " + ", ".join(f"{dice:.4f} at {label(budget)}" for budget, dice in ordered),
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
        ALMOST_UNBOUNDED,
        "ok" if mean <= limit else "failed",
        f"mean Dice {mean:.4f} at epsilon {epsilon:.4g} of the box's width",
        "the gradient is masked, the perturbed inputs never reach the network, or the voxels that may move decide "
        "nothing there: smaller epsilons mean nothing",
    )


def check_transfer(transferred_dice: Tensor, white_box_dice: Tensor) -> SanityFinding:
    """Whether adversaries made on a surrogate beat those made on the model itself; both (N,)."""
    num_stronger = int((transferred_dice < white_box_dice - 1e-3).sum())
    return SanityFinding(
        "transfer from a surrogate is not stronger than the white box",
        "failed" if transferred_dice.nanmean() < white_box_dice.nanmean() - 1e-3 else "ok",
        f"mean Dice {transferred_dice.nanmean().item():.4f} under transferred volumes, "
        f"{white_box_dice.nanmean().item():.4f} under white-box attacks; transfer is stronger on {num_stronger} cases",
        "masked gradients: the surrogate's are more useful than the model's own",
    )
