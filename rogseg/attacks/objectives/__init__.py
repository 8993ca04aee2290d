"""What attacks ascend."""

from rogseg.attacks.objectives.base import Objective, VoxelObjective, build_objective
from rogseg.attacks.objectives.cross_entropy import CrossEntropy

__all__ = ["CrossEntropy", "Objective", "VoxelObjective", "build_objective"]
