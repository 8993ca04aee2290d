"""Adversarial training with several steps of projected gradient ascent."""

from functools import partial
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from rogseg.attacks.objectives import Objective, build_objective
from rogseg.attacks.threats import ThreatModel
from rogseg.registry import TRAINERS
from rogseg.trainers.base import Batch, Passes
from rogseg.trainers.crafted_loss import CraftedLossTrainer
from rogseg.trainers.crafting import objective_on
from rogseg.trainers.inner_maximization import Crafted, ascend

__all__ = ["PGDTrainer"]


@TRAINERS.register_module()
class PGDTrainer(CraftedLossTrainer):
    """Trains on the last iterate of PGD, or on a mixture of such cases and clean ones.

    Args:
        epsilon: radius as a fraction of the box's width.
        num_iterations: k, steps of ascent.
        step_size: of each step in units of epsilon; None is 2.5 / num_iterations, which can cross the ball.
        objective: what is ascended, any of `rogseg.attacks.objectives`.
        random_start: start at a random point of the ball instead of the clean inputs.
        clean_fraction: each case stays clean with this probability; clean cases cost no ascent and count 0 in the
            logged ``delta_over_epsilon``.
        threat: ``LinfThreat`` or ``L2Threat``.
        clean_loss_interval: steps between two looks at the clean loss, each a forward pass; 0 never looks.
        seed: of the starts and of which cases stay clean.

    Raises:
        ValueError: an argument out of its range.

    Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, section 2.1;
    mixing with clean cases after Kurakin et al., "Adversarial Machine Learning at Scale", ICLR 2017. Deviations: which
    cases stay clean is drawn per case; the ascent runs in evaluation mode (Pang et al., "Bag of Tricks for Adversarial
    Training", ICLR 2021) and ascends the cross-entropy, not the whole training loss.
    """

    def __init__(
        self,
        epsilon: float = 8 / 255,
        num_iterations: int = 7,
        step_size: float | None = None,
        objective: Objective | dict[str, Any] = {"type": "CrossEntropy"},  # noqa: B006 (only read)
        random_start: bool = True,
        clean_fraction: float = 0.0,
        threat: str = "LinfThreat",
        clean_loss_interval: int = 50,
        seed: int = 0,
    ) -> None:
        super().__init__(epsilon, threat, clean_loss_interval, seed)
        if num_iterations < 1:
            raise ValueError(f"num_iterations={num_iterations} must be at least 1")
        if step_size is not None and not step_size > 0:
            raise ValueError(f"step_size={step_size} must be positive, in units of epsilon, or None")
        if not 0 <= clean_fraction < 1:
            raise ValueError(f"clean_fraction={clean_fraction} must be at least 0 and under 1; 1 is StandardTrainer")
        self.num_iterations = num_iterations
        self.step_size = 2.5 / num_iterations if step_size is None else step_size
        self.objective = build_objective(objective)
        self.random_start = random_start
        self.clean_fraction = clean_fraction

    @property
    def passes(self) -> Passes:
        """One to train, and those of the ascent for each case that is attacked."""
        return Passes(1, crafting=self.num_iterations * (1 - self.clean_fraction))

    def craft(
        self,
        module: nn.Module,
        batch: Batch,
        threat: ThreatModel,
        optim_wrapper: OptimWrapper,
        generator: torch.Generator,
    ) -> Crafted:
        """The last iterate for each case that is attacked, the clean volume for the others."""
        inputs, targets = batch["inputs"], batch["targets"]
        draws = torch.rand(len(inputs), generator=generator, device=generator.device)
        attacked = (draws >= self.clean_fraction).to(inputs.device)
        if not attacked.any():
            return Crafted(inputs, None)
        threat, clean = threat.of_cases(attacked), inputs[attacked]
        start = threat.random_start(clean, generator) if self.random_start else clean
        objective = partial(objective_on, module, self.objective, targets[attacked], optim_wrapper)
        crafted, moved = ascend(
            objective,
            threat,
            start,
            num_iterations=self.num_iterations,
            step_size=self.step_size,
            project=partial(threat.project, clean),
        )
        adversarial = inputs.clone()
        adversarial[attacked] = crafted
        return Crafted(adversarial, moved)
