"""Checkpoint files: written whole or not at all, read without running code from them."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from rogseg.storage import write_bytes_atomic

__all__ = ["BEST", "LAST", "assign_weights", "read_checkpoint", "write_checkpoint"]

LAST, BEST = "last.pth", "best.pth"


def write_checkpoint(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint in one step; a kill leaves the old file.

    Raises:
        ValueError: it holds what a safe reader would refuse.
    """
    buffer = io.BytesIO()
    torch.save(_plain(content, "checkpoint"), buffer)
    write_bytes_atomic(Path(path), buffer.getvalue())


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint into main memory; only tensors and plain data are accepted, code in the file never runs.

    Args:
        path: what `write_checkpoint` wrote, or weights alone: ``.safetensors``, or a saved ``state_dict``.

    Raises:
        ValueError: there is no such file, or it is no checkpoint.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"{path}: there is no such checkpoint; training writes {BEST} and {LAST} into the work directory"
        )
    content = _read(path)
    if isinstance(content, dict) and content and all(isinstance(value, Tensor) for value in content.values()):
        content = {"state_dict": content}
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path}: not a checkpoint: it holds no weights, as 'state_dict' or by itself")
    return content


def assign_weights(network: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Put weights into a network; every one must be there and fit.

    Raises:
        ValueError: names or shapes differ; the message names the file and the first differences.
    """
    # MMEngine saves the bare module of a DDP wrapper; others save the wrapper.
    state = {name.removeprefix("module."): value for name, value in state.items()}
    expected = network.state_dict()
    missing, unknown = sorted(set(expected) - set(state)), sorted(set(state) - set(expected))
    differing = sorted(name for name in set(state) & set(expected) if state[name].shape != expected[name].shape)
    for problem, names in (("it lacks", missing), ("it has besides", unknown), ("of another shape are", differing)):
        if names:
            raise ValueError(
                f"{source}: weights of another network than the config describes; {problem} {', '.join(names[:3])} "
                f"({len(names)} in all): give the config that the checkpoint was trained with"
            )
    network.load_state_dict(state)


def _read(path: Path) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or ["it is empty"])[0]
        raise ValueError(f"{path}: not a checkpoint of tensors and plain data ({reason})") from error


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, np.generic):  # numpy's float64 is a float, too, but not for a safe reader
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(entry, f"{where}.{key}") for key, entry in value.items()}
    if isinstance(value, list | tuple):
        entries = [_plain(entry, f"{where}[{i}]") for i, entry in enumerate(value)]
        return tuple(entries) if isinstance(value, tuple) else entries
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    raise ValueError(
        f"{where} is a {type(value).__name__}; a checkpoint holds tensors, numbers, strings and containers"
    )
