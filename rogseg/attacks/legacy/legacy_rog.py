"""The released ROG evaluation as it was, each of its choices a switch."""

from rogseg.attacks.apgd import APGD
from rogseg.attacks.base import Attack
from rogseg.attacks.best_iterate import Select
from rogseg.attacks.criteria import Criterion, DiceBelow
from rogseg.attacks.ensembles.composite import Composite
from rogseg.attacks.fab import FAB
from rogseg.attacks.legacy.legacy_pgd import LegacyPGD
from rogseg.attacks.objectives import DLR, CrossEntropy, Margin, Objective
from rogseg.attacks.pgd import PGD
from rogseg.attacks.square import Square
from rogseg.registry import ATTACKS

__all__ = ["LegacyROG"]

LEGACY_FAB_ITERATIONS = 5


@ATTACKS.register_module()
class LegacyROG(Composite):
    """What the code released with the paper reports; every fault switched off gives the attacks as they should be.

    Never a default: its members are named "legacy ..." so that no table shows them beside honest ones unnoticed. Three
    more of the released choices are not the attack's: inputs clamped to [0, 1] and epsilon in network units (the
    threat, ``dict(type="LegacyROGThreat", unit="network")``), and one window per case (``--protocol patch``).

    Args:
        num_iterations: of PGD and APGD.
        num_restarts: of PGD and APGD; 5 in the released code.
        mix_restarts_by_voxel: compose PGD's result voxel by voxel over its restarts, with steps of epsilon / 3.
        keep_lowest_dice: APGD hands back the iterate of lowest Dice, not of highest objective. A choice, not a fault:
            the evaluation asks for the lowest Dice.
        queries_as_iterations: Square gets ``num_iterations`` queries, and its schedule is not rescaled to them.
        num_queries: of Square, with the switch before off.
        fab_always_five: FAB takes 5 iterations whatever ``num_iterations`` says.
        compound_threshold: the success threshold is multiplied by the mean clean Dice once per attack: half of it for
            the first, half of its square for the second, and so on.

    Source: the released evaluation of Daza et al. 2021.
    """

    def __init__(
        self,
        num_iterations: int = 5,
        num_restarts: int = 5,
        mix_restarts_by_voxel: bool = True,
        keep_lowest_dice: bool = True,
        queries_as_iterations: bool = True,
        num_queries: int = 500,
        fab_always_five: bool = True,
        compound_threshold: bool = True,
    ) -> None:
        def apgd(objective: Objective) -> APGD:
            select: Select = "dice" if keep_lowest_dice else "objective"
            return APGD(objective, num_iterations=num_iterations, num_restarts=num_restarts, select=select)

        pgd: Attack = (
            LegacyPGD(num_iterations, num_restarts)
            if mix_restarts_by_voxel
            else PGD(num_iterations=num_iterations, num_restarts=num_restarts)
        )
        square = (
            Square(num_queries=num_iterations, rescale_schedule=False)
            if queries_as_iterations
            else Square(num_queries=num_queries)
        )
        super().__init__(
            {
                "legacy PGD": pgd,
                "legacy APGD-CE": apgd(CrossEntropy()),
                "legacy APGD-DLR": apgd(DLR()),
                "legacy FAB-T": FAB(num_iterations=LEGACY_FAB_ITERATIONS if fab_always_five else num_iterations),
                "legacy Square": square,
            },
            two_class_members={"legacy APGD-DLR": apgd(Margin())},
        )
        self.compound_threshold = compound_threshold

    def member_criterion(self, position: int, criterion: Criterion) -> Criterion:
        """The threshold of the member at this place.

        Raises:
            ValueError: thresholds compound, but the criterion has none.
        """
        if not self.compound_threshold:
            return criterion
        if not isinstance(criterion, DiceBelow):
            raise ValueError(f"compound_threshold needs DiceBelow, not {type(criterion).__name__}: switch it off")
        mean_clean = min(1.0, 2 * criterion.threshold)
        return DiceBelow(criterion.threshold * mean_clean**position, criterion.classes)
