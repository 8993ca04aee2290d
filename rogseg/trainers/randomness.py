"""Random numbers of a trainer: a fresh generator for every step, so a resumed run draws what it would have drawn."""

import numpy as np
import torch
import torch.distributed

__all__ = ["step_generator"]


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The generator of one step of one rank; other steps and ranks draw independent numbers."""
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    state = np.random.SeedSequence([seed, rank, step]).generate_state(1, np.uint64)
    # The generators of some devices take 63 bits only.
    return torch.Generator(device).manual_seed(int(state[0]) >> 1)
