"""torch.compile for the whole network, as the key ``compile`` of a config asks for.

Off by default: on a CPU it needs a C++ compiler and minutes, and ROG's own kernels already fuse what is worth it; on a
GPU the first pass of each shape and mode takes minutes, which pays over a training. ``dict(mode="reduce-overhead")``
takes CUDA graphs.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rogseg.engine.config.keys import nearest
from rogseg.engine.config.takers import takes

__all__ = ["compile_in_place"]

takes("compile", "model")(torch.compile)


def compile_in_place(network: nn.Module, options: Mapping[str, Any] | None) -> None:
    """Compile the network's call; parameters and their names stay, so checkpoints are those of the plain network.

    Args:
        network: the network.
        options: arguments of ``torch.compile``; None does nothing.

    Raises:
        ValueError: this installation of torch has no such backend.
    """
    if options is not None:
        backend = options.get("backend", "inductor")
        if isinstance(backend, str) and backend not in (known := torch.compiler.list_backends(exclude_tags=())):
            raise ValueError(f"compile.backend is {backend!r}: {nearest(backend, known)}")
        network.compile(**options)
