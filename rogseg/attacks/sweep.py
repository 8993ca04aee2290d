"""From one epsilon to the next larger one: what was admissible stays so."""

from collections.abc import Mapping
from dataclasses import fields, replace

import torch
from torch import Tensor

from rogseg.attacks.base import AttackResult
from rogseg.attacks.ensembles.composite import worst_member

__all__ = ["no_weaker"]

# What a volume is and does; costs are those of the search itself.
OF_THE_VOLUME = ("adversarial", "prediction", "success", "dice", "loss", "distance")


def no_weaker(result: AttackResult, smaller: AttackResult) -> AttackResult:
    """The result at an epsilon, with the cases for which that at a smaller epsilon is worse taken from there.

    A volume inside the smaller ball lies inside the larger one, so an attack may hand it back there, too, and nobody
    should read that more epsilon hurts less. It costs no pass. Each search still begins where it would without: on
    three small networks APGD and PGD that were started from the smaller epsilon's volume lost up to 0.1 of Dice at the
    largest epsilon, for they stayed in the basin that had been the deepest before.

    Args:
        result: at the larger epsilon; members of a composite are compared one by one.
        smaller: of the same attack and cases at a smaller epsilon.
    """
    from_smaller = worst_member([result, smaller]) == 1
    members: Mapping[str, AttackResult] = {
        name: no_weaker(member, smaller.members[name]) if name in smaller.members else member
        for name, member in result.members.items()
    }
    taken = {
        field.name: _rows(from_smaller, getattr(smaller, field.name), getattr(result, field.name))
        for field in fields(AttackResult)
        if field.name in OF_THE_VOLUME
    }
    return replace(result, **taken, members=members)


def _rows(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(mask.view(-1, *[1] * (old.ndim - 1)), new.to(old), old)
