"""Networks that answer a window as they did before: in evaluation mode, and asked twice, since that alone tells."""

import torch
from torch import Tensor, nn

__all__ = ["AskedTwice", "in_evaluation_mode", "is_flat", "refuse_another_answer"]

SAME_ANSWER = 1e-2  # of the largest value; a GPU may add up in another order


def in_evaluation_mode(network: nn.Module) -> nn.Module:
    """The same network, every part of it in evaluation mode, those too whose own ``train()`` does something else."""
    for part in network.eval().modules():
        part.training = False
    return network


def is_flat(values: Tensor) -> bool:
    """Whether each channel (B, C, d, h, w) has one value over a window, which says nothing of a network."""
    return bool((values.flatten(2).amax(2) == values.flatten(2).amin(2)).all())


def refuse_another_answer(name: str, found: Tensor, again: Tensor) -> None:
    """Compare two answers of a network to one window.

    Raises:
        ValueError: they differ by more than the order of sums explains.
    """
    # Of numbers that are not finite whoever takes the logits says that they are not.
    if bool(found.isfinite().all()) and not bool((again - found).abs().max() <= SAME_ANSWER * found.abs().max()):
        raise ValueError(
            f"{name}: the network gives another answer each time, as dropout does when it trains: switch that off, and "
            "export a network after network.eval()"
        )


class AskedTwice:
    """A network over windows that is asked twice for the first window that is not flat.

    Args:
        network: (B, C, d, h, w) -> (B, K, d, h, w).
        name: of the network, for the message.
    """

    def __init__(self, network: nn.Module, name: str) -> None:
        self.network, self.name = network, name
        self._must_repeat = True

    def __call__(self, windows: Tensor) -> Tensor:
        """What the network gives.

        Raises:
            ValueError: it gave another answer the second time.
        """
        found: Tensor = self.network(windows)
        if self._must_repeat and isinstance(found, Tensor) and not (self.network.training or is_flat(windows)):
            with torch.no_grad():
                refuse_another_answer(self.name, found.detach(), self.network(windows.detach()))
            self._must_repeat = False
        return found
