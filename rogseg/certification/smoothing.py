"""Smoothing: the noise that is added to a volume, and the radius that it buys."""

import dataclasses
import statistics
from collections.abc import Sequence

import torch
from torch import Tensor

from rogseg.cases import Case, case_generator

__all__ = ["Smoothing"]


@dataclasses.dataclass(frozen=True)
class Smoothing:
    """Gaussian noise of one size, and how many noisy copies are looked at.

    The function that is smoothed is ``network(clip(volume))``: the noise itself is Gaussian and never clipped, as the
    proof asks, and the clip to the box stands in front of the network, which has seen nothing outside of it in
    training. Noise is added where voxels may move and nowhere else, so the certificate is about perturbations there.
    Sample number i has a generator of its own, made from the seed, the case, sigma and i, so that neither the size of a
    batch nor an interruption changes it.

    Args:
        sigma: standard deviation of the noise, as a fraction of the width of the box, in every channel.
        num_selection: noisy copies that choose which questions are asked of a voxel.
        num_samples: further copies that answer them.
        seed: of the noise.

    Raises:
        ValueError: a number is out of range.

    Source: Cohen et al. 2019 (Gaussian smoothing), Fischer et al. 2021 (SegCertify).
    """

    sigma: float
    num_selection: int = 50
    num_samples: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.sigma < float("inf"):
            raise ValueError(f"sigma is {self.sigma}, it must be positive: a fraction of the box's width, such as 0.25")
        for name in ("num_selection", "num_samples"):
            if not 1 <= getattr(self, name) <= 65_535:
                raise ValueError(f"{name} is {getattr(self, name)}, it must lie between 1 and 65535")

    @property
    def total(self) -> int:
        """All noisy copies of a case."""
        return self.num_selection + self.num_samples

    def radius(self, tau: float) -> float:
        """Euclidean norm, over the whole volume and in units of the box's width, below which a certificate holds.

        Args:
            tau: the share of noisy copies that agree, of all that there could be.

        Raises:
            ValueError: tau is not between 0.5 and 1.
        """
        if not 0.5 < tau < 1:
            raise ValueError(f"tau is {tau}, it must lie between 0.5 and 1; at 0.5 the radius is 0")
        return self.sigma * statistics.NormalDist().inv_cdf(tau)

    def noisy_copies(self, case: Case, numbers: Sequence[int]) -> Tensor:
        """The copies with these numbers, (B, C, D, H, W) [network units], as the network gets them."""
        width = case.box.width.to(case.inputs)
        noise = torch.cat([self._noise(case, number) for number in numbers])
        noisy = case.box.clip(noise.mul_(self.sigma * width).add_(case.inputs))
        return noisy if case.movable is None else torch.where(case.movable, noisy, case.inputs)

    def _noise(self, case: Case, number: int) -> Tensor:
        device = case.inputs.device
        generator = case_generator(self.seed, f"{case.case_id}/{number}", self.sigma, device)
        return torch.randn(case.inputs.shape, generator=generator, device=device, dtype=case.inputs.dtype)
