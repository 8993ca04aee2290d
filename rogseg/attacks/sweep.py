"""From one epsilon to the next larger one: what was admissible stays so."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from rogseg.attacks.ensembles.composite import worst_member
from rogseg.attacks.result import AttackResult

__all__ = ["no_weaker"]


def no_weaker(result: AttackResult, smaller: AttackResult) -> AttackResult:
    """The result at an epsilon, with the cases for which that at a smaller epsilon is worse taken from there.

    A volume inside the smaller ball lies inside the larger one, so an attack may hand it back there, too, and nobody
    should read that more epsilon hurts less. It costs no pass. Each search still begins where it would without: on
    three small networks APGD and PGD that were started from the smaller epsilon's volume left up to 0.1 more Dice at
    the largest epsilon, for they stayed in the basin that had been the deepest before.

    Args:
        result: at the larger epsilon; members of a composite are compared one by one.
        smaller: of the same attack and cases at a smaller epsilon.
    """
    is_smaller = worst_member([result, smaller]) == 1
    members: Mapping[str, AttackResult] = {
        name: no_weaker(member, smaller.members[name]) if name in smaller.members else member
        for name, member in result.members.items()
    }
    # What the volume is and does; costs are those of the search itself.
    return replace(
        result,
        adversarial=_rows(is_smaller, smaller.adversarial, result.adversarial),
        prediction=_rows(is_smaller, smaller.prediction, result.prediction),
        success=_rows(is_smaller, smaller.success, result.success),
        rank=_rows(is_smaller, smaller.rank, result.rank),
        dice=_rows(is_smaller, smaller.dice, result.dice),
        loss=_rows(is_smaller, smaller.loss, result.loss),
        distance=_rows(is_smaller, smaller.distance, result.distance),
        members=members,
    )


def _rows(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(mask.view(-1, *[1] * (old.ndim - 1)), new.to(old), old)
