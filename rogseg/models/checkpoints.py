"""Checkpoint files: written whole or not at all, read without running code from them."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rogseg.foreign import read_json
from rogseg.models.lineage import Lineage
from rogseg.models.weight_files import tensors_and_plain_data
from rogseg.storage import write_bytes_atomic

__all__ = [
    "BEST",
    "FINISHED",
    "LAST",
    "assign_weights",
    "checkpoint_lineage",
    "lineage_path",
    "read_checkpoint",
    "recorded_lineage",
    "refuse_other_weights",
    "write_checkpoint",
]

LAST, BEST = "last.pth", "best.pth"
FINISHED = "finished.json"  # what a training that came to its end leaves beside them


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
    if not path.exists():
        raise ValueError(
            f"{path}: there is no such checkpoint; training writes {BEST} and {LAST} into the work directory"
        )
    content = tensors_and_plain_data(path)
    if isinstance(content, dict) and content and all(isinstance(value, Tensor) for value in content.values()):
        content = {"state_dict": content}
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path}: not a checkpoint: it holds no weights, as 'state_dict' or by itself")
    for name, value in state.items():
        if not isinstance(name, str):
            raise ValueError(f"{path}: not a checkpoint: a weight is called {name!r}, names are texts")
        if value.is_meta or value.layout is not torch.strided or value.is_quantized:
            raise ValueError(f"{path}: not a checkpoint: {name} is a tensor without plain values")
    if not isinstance(content.setdefault("meta", {}), dict):
        raise ValueError(f"{path}: not a checkpoint: its meta is a {type(content['meta']).__name__}, not a dictionary")
    return content


def checkpoint_lineage(path: str | Path) -> Lineage | None:
    """What a file of weights was trained on; None where it does not say, as older ones and those of others.

    Raises:
        ValueError: it cannot be read, or what it says makes no sense.
    """
    return recorded_lineage(read_checkpoint(path), path)


def recorded_lineage(checkpoint: Mapping[str, Any], path: str | Path) -> Lineage | None:
    """The same of a checkpoint that is read: from its ``meta``, or from the file beside it.

    Raises:
        ValueError: what it says makes no sense.
    """
    if checkpoint["meta"].get("lineage") is not None:
        return Lineage.from_json(checkpoint["meta"]["lineage"], f"{path}: lineage")
    beside = lineage_path(path)
    if beside.is_file():
        return Lineage.from_json(read_json(beside, "get the file again"), str(beside))
    return None


def lineage_path(checkpoint: str | Path) -> Path:
    """Where the lineage of weights stands that cannot hold it themselves: ``name.lineage.json``."""
    return Path(checkpoint).with_suffix(".lineage.json")


def assign_weights(network: nn.Module, state: Mapping[str, Tensor], source: str | Path) -> None:
    """Put weights into a network; every one must be there and fit.

    Raises:
        ValueError: names or shapes differ, or a weight is not finite; the message names the file and the first ones.
    """
    # MMEngine saves the bare module of a DDP wrapper; others save the wrapper. A network may have a part of that name.
    if state.keys() != network.state_dict().keys():
        state = {name.removeprefix("module."): value for name, value in state.items()}
    remedy = "give the config that the checkpoint was trained with"
    refuse_other_weights(network.state_dict(), state, f"{source}: weights of another network than the config", remedy)
    broken = [name for name, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise ValueError(
            f"{source}: {', '.join(broken[:3])} ({len(broken)} in all) hold values that are not finite: the training "
            "went wrong, take an earlier checkpoint"
        )
    network.load_state_dict(state)


def refuse_other_weights(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor], what: str, remedy: str) -> None:
    """Hold names and shapes of weights against those of a network.

    Raises:
        ValueError: they differ; the message is ``what`` describes, the first names, and the remedy.
    """
    missing, unknown = sorted(set(expected) - set(weights)), sorted(set(weights) - set(expected))
    differing = sorted(name for name in set(weights) & set(expected) if weights[name].shape != expected[name].shape)
    for problem, names in (("it lacks", missing), ("it has besides", unknown), ("of another shape are", differing)):
        if names:
            listed = f"{', '.join(names[:3])} ({len(names)} in all)"
            raise ValueError(f"{what} describes; {problem} {listed}: {remedy}")


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
