"""Weights of a network from a file that somebody else may have made."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

__all__ = ["load_weights"]


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Load the weights of a checkpoint (``.pth`` of a training run, or ``.safetensors``) into a network, all of them.

    Only tensors and plain data are read from the file: nothing in it is run. A training run with EMA keeps the
    averaged weights under ``state_dict``, so they are what is loaded.

    Raises:
        ValueError: the file is absent, unreadable, holds no weights, or weights of another network.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such checkpoint")
    state = _read(path)
    # MMEngine saves the bare module of a DDP wrapper; others save the wrapper.
    state = {name.removeprefix("module."): value for name, value in state.items()}
    expected = network.state_dict()
    missing, unknown = sorted(set(expected) - set(state)), sorted(set(state) - set(expected))
    differing = sorted(name for name in set(state) & set(expected) if state[name].shape != expected[name].shape)
    for problem, names in (("it lacks", missing), ("it has besides", unknown), ("of another shape are", differing)):
        if names:
            raise ValueError(
                f"{path}: weights of another network than the config describes; {problem} {', '.join(names[:3])} "
                f"({len(names)} in all): give the config that the checkpoint was trained with"
            )
    network.load_state_dict(state)


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path}: not a readable safetensors file ({error})") from error
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise ValueError(f"{path}: not a readable checkpoint of tensors and plain data ({error})") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ValueError(f"{path}: holds no weights: neither a state_dict nor a file that has one")
    return state
