"""A network of a system that can be trained further."""

import dataclasses

from torch import nn

__all__ = ["TrainableNetwork"]


@dataclasses.dataclass(frozen=True)
class TrainableNetwork:
    """One of the networks whose mean is a system's logits.

    Args:
        name: of it among the system's, such as ``fold_0``; the name of a folder.
        module: shares its weights with the system. Windows (B, C, d, h, w) -> raw logits (B, L, d, h, w) with the
            channels of `System.logits`, or several from fine to coarse, which deep supervision trains.
        mirror_axes: spatial axes, 0 to 2, along which a mirrored patch is as good as the patch.
    """

    name: str
    module: nn.Module
    mirror_axes: tuple[int, ...] = ()
