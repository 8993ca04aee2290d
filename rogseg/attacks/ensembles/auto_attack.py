"""AutoAttack for volumes."""

from rogseg.attacks.apgd import APGD
from rogseg.attacks.best_iterate import Select
from rogseg.attacks.ensembles.composite import Composite, Mode
from rogseg.attacks.fab import FAB
from rogseg.attacks.objectives import DLR, CrossEntropy, Margin
from rogseg.attacks.square import Square
from rogseg.registry import ATTACKS

__all__ = ["AutoAttack"]


@ATTACKS.register_module()
class AutoAttack(Composite):
    """APGD-CE, APGD-DLR, FAB-T and Square, per case the worst of the four.

    A network of two classes has no third logit for DLR: there the margin stands in, under the name "APGD-DLR (two
    classes)". For other members or other settings of them, configure `Composite`.

    Args:
        num_iterations: of both APGDs, and of FAB-T for each rank.
        num_queries: of Square.
        num_restarts: of both APGDs.
        select: which iterate the APGDs hand back.
        mode: "all" or "cascade", see `Composite`.

    Source: Croce and Hein 2020; for volumes Daza et al. 2021, table 1, who took 5 iterations and 500 to 5000 queries.
    Deviations: the reference AutoAttack is a cascade of APGD-CE, targeted APGD-DLR, FAB-T and Square with 100
    iterations each and 5000 queries; here the members are the paper's, and every one meets every case by default.
    """

    def __init__(
        self,
        num_iterations: int = 20,
        num_queries: int = 1000,
        num_restarts: int = 1,
        select: Select = "dice",
        mode: Mode = "all",
    ) -> None:
        def apgd(objective: CrossEntropy | DLR | Margin) -> APGD:
            return APGD(objective, num_iterations=num_iterations, num_restarts=num_restarts, select=select)

        super().__init__(
            {
                "APGD-CE": apgd(CrossEntropy()),
                "APGD-DLR": apgd(DLR()),
                "FAB-T": FAB(num_iterations=num_iterations),
                "Square": Square(num_queries=num_queries),
            },
            mode=mode,
            two_class_members={"APGD-DLR": apgd(Margin())},
        )
