"""A cheap look at robustness while a network trains: one window of a case under one and under several steps."""

from collections.abc import Callable

from torch import Tensor

from rogseg.attacks import FGSM, Attack, DiceBelow, ThreatModel
from rogseg.cases import Case, case_generator

__all__ = ["robust_look"]


def robust_look(
    model: Callable[[Tensor], Tensor],
    attack: Attack,
    case: Case,
    threat: ThreatModel,
    *,
    epsilon: float,
    seed: int,
) -> dict[str, float]:
    """Attack one case by the given attack, and by FGSM for what a single step does.

    Args:
        model: logits of the whole case, in evaluation mode.
        attack: of several steps.
        case: the case.
        threat: ball and box.
        epsilon: what the threat was made with; with seed and case it decides the attack's start.
        seed: of all randomness.

    Returns:
        ``robust_dice``, mean foreground Dice under the attack, NaN for a case without foreground; ``robust_loss`` and
        ``single_step_loss``, the attack's objective under it and under FGSM.
    """
    # Success is not asked for here, but an attack wants to know what it would be.
    criterion = DiceBelow(0.5)
    assert case.targets is not None, "cases that select have a label"
    single, several = (
        one(
            model,
            case.inputs,
            case.targets,
            threat,
            criterion,
            generator=case_generator(seed, case.case_id, epsilon, case.inputs.device),
        )
        for one in (FGSM(attack.objective), attack)
    )
    return {
        "robust_dice": several.mean_dice.item(),
        "robust_loss": several.loss.item(),
        "single_step_loss": single.loss.item(),
    }
