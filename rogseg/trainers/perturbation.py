"""What the perturbations of a training are made with and watched by: threat model, randomness, size and movement."""

import numpy as np
import torch
import torch.distributed
from torch import Tensor

from rogseg.attacks.threats import LinfThreat, ThreatModel
from rogseg.cases import Batch
from rogseg.registry import THREATS

__all__ = ["MovementGuard", "PerturbationNeverMovedError", "TrainingThreat", "perturbation_logs", "step_generator"]

SURFACE = 0.999  # of epsilon: rounding leaves a voxel at the ball's surface a hair inside


class PerturbationNeverMovedError(RuntimeError):
    """Adversarial training that silently trains on clean inputs."""


class MovementGuard:
    """Stops a training whose perturbation does not move.

    A step size that rounds to zero, a ball of radius zero, a model that detaches its input or a gradient that
    underflows all look like a fast and stable adversarial training. Loss scaling may lose the first gradients, so
    only a number of such steps in a row counts.

    Args:
        patience: steps in a row without movement that are an error.
    """

    def __init__(self, patience: int = 10) -> None:
        self.patience = patience
        self.num_still = 0

    def observe(self, threat: ThreatModel, inputs: Tensor, trained_on: Tensor, *, moved: Tensor) -> None:
        """Watch one step; nothing is asked of cases whose epsilon is 0.

        Args:
            threat: of the mini-batch.
            inputs: (B, C, D, H, W) clean volumes.
            trained_on: (B, C, D, H, W) the most perturbed volumes that the weights were trained on.
            moved: bool, whether an ascent step, before any projection, changed any voxel.

        Raises:
            PerturbationNeverMovedError: the perturbation stood still for too long.
        """
        if not threat.epsilon.any():
            return
        still = ~(moved & (trained_on != inputs).any())
        self.num_still = self.num_still + 1 if still else 0
        if self.num_still >= self.patience:
            raise PerturbationNeverMovedError(
                f"the perturbation has not moved in {self.num_still} steps in a row, so this is standard training: "
                "check that the model passes gradients to its inputs, that they do not underflow (fp16 needs loss "
                "scaling, or take bf16), and that epsilon and step size are fractions like 8/255, not rounded to zero"
            )


@torch.no_grad()
def perturbation_logs(threat: ThreatModel, inputs: Tensor, adversarial: Tensor) -> dict[str, Tensor]:
    """How much of its ball a perturbation uses.

    Returns:
        ``delta_over_epsilon``: mean of abs(delta)/epsilon, over voxels that may move for Linf and over cases for other
        norms; ``share_at_surface``: share of these voxels, or of cases, at the ball's surface. Zeros where epsilon
        is 0.
    """
    if isinstance(threat, LinfThreat):
        length, radius = (adversarial - inputs).abs(), threat.epsilon.to(inputs)
    else:
        length, radius = threat.distance(inputs, adversarial).view(-1, 1, 1, 1, 1), threat.epsilon.to(inputs).double()
    used = torch.where(radius > 0, length / radius, 0.0)
    if threat.support is not None and isinstance(threat, LinfThreat):
        used = used[threat.support.expand_as(used)]
    return {"delta_over_epsilon": used.mean().float(), "share_at_surface": (used >= SURFACE).float().mean()}


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The generator of one step of one rank; other steps and ranks draw independent numbers."""
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    state = np.random.SeedSequence([seed, rank, step]).generate_state(1, np.uint64)
    # The generators of some devices take 63 bits only.
    return torch.Generator(device).manual_seed(int(state[0]) >> 1)


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
