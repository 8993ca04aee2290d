"""nnU-Net's checkpoints: found by fold, read without running code from them, checked before anything is built."""

import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rogseg.models.weight_files import refuse_damaged_archive
from rogseg.systems.nnunet.allowed_names import OTHER_NETWORK_TRAINERS, TRAINERS

__all__ = ["CHECKPOINT_GLOBALS", "Fold", "find_folds", "read_fold"]

Fold = int | str
"""A number, or ``"all"``."""

# All that a checkpoint holds beside weights are numpy scalars; torch needs their classes named, the first one under the
# name that NumPy 1 had for it, too. torch's own list of what a file needs leaves the classes of types out.
_SCALAR: Any = np._core.multiarray.scalar  # type: ignore[attr-defined]
CHECKPOINT_GLOBALS: list[Any] = [
    _SCALAR,
    (_SCALAR, "numpy.core.multiarray.scalar"),
    np.dtype,
    np.dtypes.Float32DType,
    np.dtypes.Float64DType,
    np.dtypes.Int64DType,
]
_FOLDER = re.compile(r"fold_(0|[1-9][0-9]{0,2}|all)")


def find_folds(folder: Path, checkpoint: str, wanted: Sequence[Fold] | None) -> tuple[Fold, ...]:
    """The folds to use.

    Args:
        folder: of the trained network.
        checkpoint: name of the file in each fold's folder.
        wanted: folds, each a number or ``"all"``; None takes every numbered fold that has the file, else ``fold_all``.

    Raises:
        ValueError: a fold is not there, or none is.
    """
    if Path(checkpoint).name != checkpoint:
        raise ValueError(f"checkpoint must be the name of a file in the folds' folders, got {checkpoint!r}")
    matches = [_FOLDER.fullmatch(path.parent.name) for path in folder.glob(f"fold_*/{checkpoint}")]
    names = {match[1] for match in matches if match}
    present: list[Fold] = [*sorted(int(name) for name in names - {"all"}), *sorted(names & {"all"})]
    if wanted is None:
        numbered = tuple(fold for fold in present if fold != "all")
        wanted = numbered or tuple(present)
        if not wanted:
            raise ValueError(
                f"{folder}: holds no fold_N/{checkpoint}; give the folder TRAINER__PLANS__CONFIGURATION of a finished "
                "training, or name another file, such as checkpoint_best.pth"
            )
    absent = [fold for fold in wanted if fold not in present]
    if absent or len(set(wanted)) != len(wanted) or not wanted:
        raise ValueError(
            f"{folder}: folds {list(wanted)} were asked for, each once, but only {present} have a {checkpoint}"
        )
    return tuple(wanted)


def read_fold(path: Path) -> dict[str, Any]:
    """The whole content of a checkpoint; weights, trainer, configuration and mirroring axes are checked.

    Raises:
        ValueError: it is missing, damaged, holds what may run code, or belongs to a network that is not supported.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such file; copy the fold's folder whole")
    try:
        refuse_damaged_archive(path)
        with torch.serialization.safe_globals(CHECKPOINT_GLOBALS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path}: holds more than weights and numbers ({_first_line(error)}), and reading it may run code; save it "
            "again with nnU-Net from a source that you trust"
        ) from error
    except (RuntimeError, EOFError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: not a readable checkpoint ({_first_line(error)}); copy it again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: not a checkpoint of nnU-Net version 2: it holds no entries")
    _check_weights(content.get("network_weights"), path)
    _check_trainer(content.get("trainer_name"), path)
    arguments = content.get("init_args")
    if not isinstance(arguments, dict) or not isinstance(arguments.get("configuration"), str):
        raise ValueError(f"{path}: 'init_args' names no configuration; it is not a checkpoint of nnU-Net version 2")
    axes = content.get("inference_allowed_mirroring_axes")
    if axes is not None and not (
        isinstance(axes, list | tuple) and all(type(axis) is int and 0 <= axis <= 2 for axis in axes)
    ):
        raise ValueError(f"{path}: 'inference_allowed_mirroring_axes' is {axes!r:.80}, expected axes 0 to 2 or None")
    return content


def _check_weights(weights: Any, path: Path) -> None:
    if (
        not isinstance(weights, dict)
        or not weights
        or not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in weights.items())
    ):
        raise ValueError(f"{path}: 'network_weights' holds no weights; it is not a checkpoint of nnU-Net version 2")
    odd = sorted(key for key, value in weights.items() if not _is_plain(value))
    if odd:
        raise ValueError(f"{path}: the weights {odd[:3]} are no plain real numbers; it belongs to another network")


def _is_plain(value: Tensor) -> bool:
    """Real numbers that are all there: a file can name a huge tensor whose elements are one number in memory."""
    dense = value.layout == torch.strided and value.device.type == "cpu" and not value.is_quantized
    return dense and value.is_floating_point() and value.untyped_storage().nbytes() >= value.nbytes


def _check_trainer(name: Any, path: Path) -> None:
    if isinstance(name, str) and name in TRAINERS:
        return
    if isinstance(name, str) and name in OTHER_NETWORK_TRAINERS:
        raise ValueError(
            f"{path}: trained by {name}, which builds another network than plans.json says; it is not supported: "
            "evaluate its network as a torch module"
        )
    raise ValueError(
        f"{path}: 'trainer_name' is {name!r:.80}, which is no trainer of nnU-Net that is known to build the network of "
        "plans.json; trainers are never looked up by a name from a file: evaluate its network as a torch module"
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200]
