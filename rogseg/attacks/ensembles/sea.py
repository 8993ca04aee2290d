"""The segmentation ensemble attack as published."""

from rogseg.attacks.best_iterate import Select
from rogseg.attacks.ensembles.composite import Composite, Mode
from rogseg.attacks.objectives import BalancedCE, CrossEntropy, JensenShannon, MaskedCE, Objective, WithRuler
from rogseg.attacks.shrinking_apgd import ShrinkingAPGD
from rogseg.registry import ATTACKS

__all__ = ["SEA"]


@ATTACKS.register_module()
class SEA(Composite):
    """Three runs of APGD with shrinking radius: balanced and plain masked cross-entropy, Jensen-Shannon.

    Mean cross-entropy controls the step of all three, and each radius starts from the iterate with the fewest voxels
    right under the larger one. It depends on the scale of the logits, as published; `SegmentationEnsemble` does not.

    Args:
        num_iterations: of each member, over its three radii.
        select: which iterate a member hands back.
        mode: "all" or "cascade", see `Composite`.

    Source: Croce, Singh and Hein 2024 (SEA). Deviations: the class weights come from each case's own targets; the worst
        member of a case is the one of lowest Dice, as a volume is mostly background and its accuracy says little.
    """

    def __init__(self, num_iterations: int = 300, select: Select = "accuracy", mode: Mode = "all") -> None:
        def member(objective: Objective) -> ShrinkingAPGD:
            controlled = WithRuler(objective, CrossEntropy())
            return ShrinkingAPGD(controlled, num_iterations, select=select, hand_over="accuracy")

        super().__init__(
            {
                "SEA-BalancedCE": member(BalancedCE()),
                "SEA-MaskedCE": member(MaskedCE()),
                "SEA-JS": member(JensenShannon()),
            },
            mode=mode,
        )
