"""NFGSMCraft: one step from noise larger than the ball, which is not brought back into it."""

import torch

from rogseg.registry import CRAFTS
from rogseg.trainers.crafts.base import Craft, Crafted, InnerProblem

__all__ = ["NFGSMCraft"]


@CRAFTS.register_module()
class NFGSMCraft(Craft):
    """Adds noise larger than the ball, takes one step from there, and does not project onto the ball.

    The volumes trained on stay in the box, but lie up to ``noise + step_size`` epsilons from the clean ones: epsilon is
    that of the ball against which the network is meant to be robust, not a bound on what it saw. The logged
    ``delta_over_epsilon`` therefore may exceed 1, and ``share_at_surface`` counts what lies at or beyond the surface.

    Args:
        noise: k, largest noise in units of epsilon.
        step_size: alpha, in units of epsilon.

    Raises:
        ValueError: an argument out of its range.

    Source: de Jorge et al., "Make Some Noise: Reliable and Efficient Single-Step Adversarial Training", NeurIPS 2022,
    algorithm 1, with their k = 2 and alpha = epsilon. Deviation: noise and result are clipped to the box, since no
    input of this project's networks lies outside it.
    """

    def __init__(self, noise: float = 2.0, step_size: float = 1.0) -> None:
        if noise < 0:
            raise ValueError(f"noise={noise} must not be negative, in units of epsilon")
        if not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon")
        self.noise = noise
        self.step_size = step_size

    @property
    def passes(self) -> float:
        """One."""
        return 1

    def __call__(self, problem: InnerProblem, generator: torch.Generator) -> Crafted:
        """Noise and one step, clipped to the box."""
        threat = problem.threat
        start = threat.scaled(self.noise).random_start(problem.batch.inputs, generator)
        return problem.ascend(start, num_iterations=1, step_size=self.step_size, project=threat.clip_to_box)
