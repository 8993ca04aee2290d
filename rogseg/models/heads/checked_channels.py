"""What a head says of a backbone that gives other features than it takes."""

from torch import Tensor

__all__ = ["check_channels"]


def check_channels(features: Tensor, channels: int) -> None:
    """Refuse features (B, C, D, H, W) whose C is not that of the head.

    Raises:
        ValueError: it is not; the message names the key of the config.
    """
    if features.ndim != 5 or features.shape[1] != channels:
        raise ValueError(
            f"model.backbone gives features {tuple(features.shape)}, but model.head.channels is {channels}: set it to "
            "what the backbone gives along the second axis, or give model.head another type"
        )
