"""Different attacks first, then a refinement of the worst that they found."""

from collections.abc import Mapping

from torch import Tensor

from rogseg.attacks.apgd import APGD
from rogseg.attacks.best_iterate import Select
from rogseg.attacks.ensembles.composite import Composite, Mode, worst_volumes
from rogseg.attacks.objectives import DLR, Margin, Objective, ScaleFree, SegPGD, SoftDice
from rogseg.attacks.problem import Problem
from rogseg.attacks.result import AttackResult
from rogseg.attacks.shrinking_apgd import ShrinkingAPGD
from rogseg.registry import ATTACKS

__all__ = ["Strongest"]

# Members in their order, with their share of the passes.
SHARES = {"SoftDice": 0.25, "SharpDice": 0.25, "DLR": 0.1, "SegPGD": 0.1, "Refined-Dice": 0.15, "Refined-Sharp": 0.15}
MIN_PASSES = 40  # so that every member gets at least one iteration at each of its radii
# Of the mean gap, see `ScaleFree`. A soft one reaches far into an organ, which a network falls to that falls at all; on
# one that only ever loses voxels near a surface, a sharp one looks at those alone.
SOFT, SHARP = 0.2, 0.0125


@ATTACKS.register_module()
class Strongest(Composite):
    """Soft Dice at two temperatures and two other objectives, then two short-stepped runs from the worst of each case.

    A case has several basins: an attack that loses one class may never lose the other, and which basin it ends in is
    a matter of objective and start. So the budget goes to different objectives first, and then to the basin that turned
    out the deepest. No member depends on the scale of the logits.

    Args:
        num_passes: forward and backward passes of all members together, at least 40.
        select: which iterate a member hands back.
        mode: "all" or "cascade", see `Composite`.

    Source: ours, after Croce, Singh and Hein 2024 (`SEA`: radii, masked losses) and Halmosi, Mohos and Jelasity 2024
    (diversity).
    """

    def __init__(self, num_passes: int = 400, select: Select = "dice", mode: Mode = "all") -> None:
        if num_passes < MIN_PASSES:
            raise ValueError(f"num_passes is {num_passes}, too few for {len(SHARES)} members: at least {MIN_PASSES}")

        def search(name: str, objective: Objective) -> ShrinkingAPGD:
            return ShrinkingAPGD(objective, int(SHARES[name] * num_passes), select)

        def refine(name: str, objective: Objective) -> APGD:
            return APGD(objective, int(SHARES[name] * num_passes), select=select, first_step=0.5)

        soft, sharp = ScaleFree(SoftDice(), SOFT), ScaleFree(SoftDice(), SHARP)
        super().__init__(
            {
                "SoftDice": search("SoftDice", soft),
                "SharpDice": search("SharpDice", sharp),
                "DLR": search("DLR", DLR()),
                "SegPGD": search("SegPGD", ScaleFree(SegPGD(), SOFT)),
                "Refined-Dice": refine("Refined-Dice", soft),
                "Refined-Sharp": refine("Refined-Sharp", sharp),
            },
            mode=mode,
            two_class_members={"DLR": search("DLR", Margin())},
        )

    def member_start(self, name: str, results: Mapping[str, AttackResult], problem: Problem) -> Tensor | None:
        """The refinements start from the worst volumes so far."""
        return worst_volumes(results, problem.inputs) if name.startswith("Refined") else problem.start
