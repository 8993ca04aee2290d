"""An objective whose iterates are compared by another one."""

from typing import Any

from torch import Tensor

from rogseg.attacks.objectives.base import Objective, build_objective
from rogseg.registry import OBJECTIVES

__all__ = ["WithRuler"]


@OBJECTIVES.register_module()
class WithRuler(Objective):
    """Ascend one objective, and let another say which iterate is better and whether the step is too long.

    Args:
        objective: what is ascended.
        ruler: what iterates are compared by.

    Source: Croce, Singh and Hein 2024 (SEA), where mean cross-entropy controls the step of every objective.
    """

    def __init__(self, objective: Objective | dict[str, Any], ruler: Objective | dict[str, Any]) -> None:
        self.objective = build_objective(objective)
        self._ruler = build_objective(ruler)

    def at(self, progress: float) -> Objective:
        """The inner objective of this moment, with the same ruler."""
        return WithRuler(self.objective.at(progress), self._ruler)

    @property
    def ruler(self) -> Objective:
        """The other objective."""
        return self._ruler

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(B, K, D, H, W) raw logits, (B, D, H, W) class indices -> (B,)."""
        return self.objective(logits, targets)
