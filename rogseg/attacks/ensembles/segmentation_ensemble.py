"""An ensemble made for segmentation."""

from rogseg.attacks.best_iterate import Select
from rogseg.attacks.ensembles.composite import Composite, Mode
from rogseg.attacks.objectives import JensenShannon, MaskedCE, SegPGD, SoftDice
from rogseg.attacks.shrinking_apgd import ShrinkingAPGD
from rogseg.registry import ATTACKS

__all__ = ["SegmentationEnsemble"]


@ATTACKS.register_module()
class SegmentationEnsemble(Composite):
    """APGD with shrinking radius on four objectives that do not lose themselves in voxels already won.

    Its default budget is 4 times 100 forward and backward passes a case.

    Args:
        num_iterations: of each member, over its three radii.
        select: which iterate a member hands back; "dice" as the ensemble is judged by Dice.
        mode: "all" or "cascade", see `Composite`.

    Source: Croce, Singh and Hein 2024 (SEA): Jensen-Shannon, masked and balanced cross-entropy (the weights of SegPGD),
        300 iterations each, worst case per image. Deviations: soft Dice as a fourth objective, for in a volume of which
        an organ is a hundredth the others spend themselves on the background; 100 iterations.
    """

    def __init__(self, num_iterations: int = 100, select: Select = "dice", mode: Mode = "all") -> None:
        super().__init__(
            {
                "APGD-JS": ShrinkingAPGD(JensenShannon(), num_iterations, select),
                "APGD-MaskedCE": ShrinkingAPGD(MaskedCE(), num_iterations, select),
                "APGD-BalancedCE": ShrinkingAPGD(SegPGD(), num_iterations, select),
                "APGD-SoftDice": ShrinkingAPGD(SoftDice(), num_iterations, select),
            },
            mode=mode,
        )
