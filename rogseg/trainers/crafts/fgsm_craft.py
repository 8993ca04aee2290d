"""FGSMCraft: one step from a random start, as in fast adversarial training."""

from functools import partial

import torch

from rogseg.registry import CRAFTS
from rogseg.trainers.crafts.base import Craft, Crafted, InnerProblem

__all__ = ["FGSMCraft"]


@CRAFTS.register_module()
class FGSMCraft(Craft):
    """One step of steepest ascent from a random point of the ball, projected onto ball and box.

    Args:
        step_size: in units of epsilon; well above 1.25 the published method overfits catastrophically.

    Raises:
        ValueError: an argument out of its range.

    Source: Wong, Rice and Kolter, "Fast is better than free", ICLR 2020, algorithm 3. Deviation: the start is clipped
    to the box before the step.
    """

    def __init__(self, step_size: float = 1.25) -> None:
        if not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon")
        self.step_size = step_size

    @property
    def passes(self) -> float:
        """One."""
        return 1

    def __call__(self, problem: InnerProblem, generator: torch.Generator) -> Crafted:
        """One step, brought back into the ball."""
        inputs, threat = problem.batch.inputs, problem.threat
        return problem.ascend(
            threat.random_start(inputs, generator),
            num_iterations=1,
            step_size=self.step_size,
            project=partial(threat.project, inputs),
        )
