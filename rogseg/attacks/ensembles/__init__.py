"""Several attacks as one."""

from rogseg.attacks.ensembles.auto_attack import AutoAttack
from rogseg.attacks.ensembles.composite import Composite
from rogseg.attacks.ensembles.sea import SEA
from rogseg.attacks.ensembles.segmentation_ensemble import SegmentationEnsemble
from rogseg.attacks.ensembles.strongest import Strongest

__all__ = ["SEA", "AutoAttack", "Composite", "SegmentationEnsemble", "Strongest"]
