"""The threat model of each mini-batch that is trained on."""

from rogseg.attacks.threats import ThreatModel
from rogseg.cases import Batch
from rogseg.registry import THREATS

__all__ = ["TrainingThreat"]


class TrainingThreat:
    """Builds the threat model of a mini-batch from the boxes of its cases.

    Args:
        name: a class of the registry of threats, ``LinfThreat`` or ``L2Threat``.
        epsilon: as a fraction of the box's width, for every case and channel; 0 trains on clean inputs.

    Raises:
        ValueError: an unknown name or a negative epsilon.
    """

    def __init__(self, name: str, epsilon: float) -> None:
        threat_class = THREATS.get(name)
        if threat_class is None:
            raise ValueError(f"threat={name!r} is unknown; known are {sorted(THREATS.module_dict)}")
        if not 0 <= epsilon <= 1:
            raise ValueError(
                f"epsilon={epsilon} must be a fraction of the box's width, 0 to 1: write 8/255 where images say 8"
            )
        self.threat_class: type[ThreatModel] = threat_class
        self.epsilon = epsilon

    def of_batch(self, batch: Batch) -> ThreatModel:
        """The threat model of these cases; padding stays as it is."""
        return self.threat_class.from_fraction(self.epsilon, batch.box).within(batch.movable)
