"""PGDCraft: several steps of projected gradient ascent."""

from functools import partial
from typing import Literal

import torch
from torch import Tensor

from rogseg.registry import CRAFTS
from rogseg.trainers.crafts.base import Craft, Crafted, InnerProblem

__all__ = ["PGDCraft"]

Start = Literal["random", "noise", "clean"]
START_NOISE = 0.001  # standard deviation of the start "noise", as a fraction of the box's width


@CRAFTS.register_module()
class PGDCraft(Craft):
    """The last iterate of PGD for each case, or for a share of the cases, where the others stay clean.

    Args:
        num_iterations: k, steps of ascent.
        step_size: of each step in units of epsilon; None is 2.5 / num_iterations, which can cross the ball.
        start: ``random``, uniform in the ball; ``noise``, the clean volume with Gaussian noise of 0.001 box widths,
            from where TRADES starts; ``clean``, the clean volume itself, at which the divergence of TRADES has no
            gradient.
        clean_fraction: each case stays clean with this probability; clean cases cost no ascent and count 0 in the
            logged ``delta_over_epsilon``.

    Raises:
        ValueError: an argument out of its range.

    Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1;
    mixing with clean cases after Kurakin et al., "Adversarial Machine Learning at Scale", ICLR 2017. Deviation: which
    cases stay clean is drawn per case.
    """

    def __init__(
        self,
        num_iterations: int = 7,
        step_size: float | None = None,
        start: Start = "random",
        clean_fraction: float = 0.0,
    ) -> None:
        if num_iterations < 1:
            raise ValueError(f"num_iterations={num_iterations} must be at least 1")
        if step_size is not None and not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon, or None")
        if start not in ("random", "noise", "clean"):
            raise ValueError(f"start={start!r} must be 'random', 'noise' or 'clean'")
        if not 0 <= clean_fraction < 1:
            raise ValueError(f"clean_fraction={clean_fraction} must be at least 0 and under 1; 1 is StandardTrainer")
        self.num_iterations = num_iterations
        self.step_size = 2.5 / num_iterations if step_size is None else step_size
        self.start = start
        self.clean_fraction = clean_fraction

    @property
    def passes(self) -> float:
        """Those of the ascent for each case that is attacked."""
        return self.num_iterations * (1 - self.clean_fraction)

    def __call__(self, problem: InnerProblem, generator: torch.Generator) -> Crafted:
        """The last iterate for each case that is attacked, the clean volume for the others."""
        inputs = problem.batch.inputs
        noisy = with_noise(problem, generator) if self.start == "noise" else inputs
        # Drawn even where no case stays clean, so that the random starts hang on the seed alone.
        draws = torch.rand(len(inputs), generator=generator, device=generator.device)
        attacked = (draws >= self.clean_fraction).to(inputs.device)
        if not attacked.any():
            return Crafted(inputs, None)
        chosen, start = problem.of_cases(attacked), noisy[attacked]
        if self.start == "random":
            start = chosen.threat.random_start(chosen.batch.inputs, generator)
        crafted, moved = chosen.ascend(
            start,
            num_iterations=self.num_iterations,
            step_size=self.step_size,
            project=partial(chosen.threat.project, chosen.batch.inputs),
        )
        adversarial = inputs.clone()
        adversarial[attacked] = crafted
        return Crafted(adversarial, moved)


def with_noise(problem: InnerProblem, generator: torch.Generator) -> Tensor:
    """The clean volumes with a little Gaussian noise, in ball and box."""
    inputs, threat = problem.batch.inputs, problem.threat
    noise = torch.randn(inputs.shape, generator=generator, device=generator.device).to(inputs)
    return threat.project(inputs, inputs + START_NOISE * threat.box.width * noise)
