"""Checkpoint files: written whole or not at all, read without running code from them."""

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
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

    Raises:
        ValueError: there is no such file, or it is no checkpoint.
    """
    if not Path(path).is_file():
        raise ValueError(
            f"{path}: there is no such checkpoint; training writes {BEST} and {LAST} into the work directory"
        )
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(
            f"{path}: not a checkpoint of tensors and plain data ({str(error).splitlines()[0]})"
        ) from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ValueError(f"{path}: not a checkpoint of rogseg: it has no 'state_dict'")
    return content


def assign_weights(model: nn.Module, state_dict: Mapping[str, Tensor], source: str | Path) -> None:
    """Put weights into a model; every one must fit.

    Raises:
        ValueError: names or shapes differ; the message names the file and the first differences.
    """
    try:
        model.load_state_dict(dict(state_dict), strict=True)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise ValueError(
            f"{source}: its weights do not fit the config's model: {' '.join(lines[1:4])[:400]}; "
            "use the config that the checkpoint was trained with"
        ) from error


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
