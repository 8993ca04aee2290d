"""EpochMeter: means of what a trainer logs, without making the device wait at every step."""

from collections.abc import Mapping

import torch
import torch.distributed
from torch import Tensor, nn

__all__ = ["EpochMeter", "refuse_divergence"]

REMEDY = (
    "lower the learning rate, clip gradients (optim_wrapper.clip_grad.max_norm=12) or take bfloat16 instead of "
    "float16; the last checkpoint is from before"
)


class EpochMeter:
    """Adds scalars up on their device; keys may come and go, and so may values that are not finite, save the loss."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        """Add one step's scalars."""
        for key, value in scalars.items():
            value = value.detach().double() if value.device.type == "cpu" else value.detach().float()
            counts = value.isfinite() if key != "loss" else torch.ones_like(value, dtype=torch.bool)
            value = torch.where(counts, value, 0.0)
            self.sums[key] = self.sums[key] + value if key in self.sums else value
            self.counts[key] = self.counts[key] + counts if key in self.counts else counts.long()

    def means(self) -> dict[str, float]:
        """Mean of each key over the steps that had it, and over the processes; none of a key without any value.

        Raises:
            ValueError: the loss is not finite.
        """
        means = {key: float(total) / int(self.counts[key]) for key, total in self.sums.items() if self.counts[key]}
        if torch.distributed.is_initialized():
            gathered: list[dict[str, float]] = [{} for _ in range(torch.distributed.get_world_size())]
            torch.distributed.all_gather_object(gathered, means)
            keys = {key: None for one in gathered for key in one}
            means = {}
            for key in keys:
                values = [one[key] for one in gathered if key in one]
                means[key] = sum(values) / len(values)
        loss = means.get("loss", 0.0)
        if not torch.isfinite(torch.tensor(loss)):
            raise ValueError(f"the training loss is {loss}: {REMEDY}")
        return means


def refuse_divergence(network: nn.Module) -> None:
    """Look at the weights, which the last step of an epoch may have broken although its loss was finite.

    Raises:
        ValueError: one is not finite.
    """
    values = {name: value for name, value in network.state_dict().items() if value.is_floating_point()}
    broken = [name for name, value in values.items() if not value.isfinite().all()]
    if broken:
        raise ValueError(f"{len(broken)} weights such as {broken[0]} are not finite: {REMEDY}")
