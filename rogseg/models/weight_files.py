"""Files of weights that came whole, and that run nothing: what is checked before and while tensors are read."""

import hashlib
import json
import pickle
import re
import zipfile
import zlib
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from rogseg.foreign import open_regular, read_json

__all__ = ["open_weights", "refuse_damaged_archive", "safetensors_bytes", "tensors_and_plain_data"]

INDEX = "index.json"  # of a model zoo, beside its files
PROVENANCE, DIGEST = "rogseg.provenance", "rogseg.digest"  # keys of the metadata of a safetensors file
AGAIN = "get the file again"
# What readers of damaged files end in.
DAMAGE = (
    pickle.UnpicklingError, SafetensorError, zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError, KeyError,
    TypeError, AttributeError, IndexError, AssertionError, OverflowError, NotImplementedError,
)  # fmt: skip


def open_weights(path: Path) -> BufferedReader:
    """Open a file of weights for reading its bytes.

    Raises:
        ValueError: there is no such file; the message says where it was looked for.
    """
    return open_regular(path.absolute(), "a relative path counts from the folder that you are in")


def tensors_and_plain_data(path: Path) -> Any:
    """What a file of weights holds, once it is known to be whole.

    A ``.pth`` has a checksum for each record; a ``.safetensors`` of ours has one in its metadata, and one of a model
    zoo in the index beside it. Other files say nothing of their content, and cannot be checked.

    Raises:
        ValueError: no such file, a damaged one, or one that asks for more than tensors and plain data.
    """
    open_weights(path).close()
    try:
        return _safetensors(path) if path.suffix == ".safetensors" else _pth(path)
    except _DamageError:
        raise
    except DAMAGE as error:
        raise ValueError(f"{path}: not a checkpoint of tensors and plain data ({_reason(error)})") from error


def refuse_damaged_archive(path: Path, *, compressed: bool = False) -> None:
    """Hold what PyTorch wrote against the checksums in it, which PyTorch itself does not look at.

    Args:
        path: the file.
        compressed: whether its records may be, as those of programs are; weights are stored as they are, and what
            unpacks to more than the file is no checkpoint but a bomb.

    Raises:
        ValueError: no such file, one that unpacks to more than it is, or a record of it is not what was written.
    """
    with open_weights(path) as file:
        if file.read(2) != b"PK":  # an older form, which has no checksums
            return
        try:
            with zipfile.ZipFile(file) as archive:
                if not compressed and sum(record.file_size for record in archive.infolist()) > path.stat().st_size:
                    raise zipfile.BadZipFile("its records are larger than the file: not a checkpoint")
                damaged = archive.testzip()
        except (*DAMAGE, zlib.error) as error:
            raise _DamageError(f"{path}: damaged ({_reason(error)}); {AGAIN}") from error
    if damaged is not None:
        raise _DamageError(f"{path}: damaged: the checksum of {damaged} is not that of its content; {AGAIN}")


def safetensors_bytes(state: Mapping[str, Tensor], provenance: Mapping[str, Any]) -> bytes:
    """Weights as a safetensors file that knows its own checksum and where it comes from (JSON data)."""
    weights, text = {key: value.contiguous() for key, value in state.items()}, json.dumps(provenance)
    return save(weights, {PROVENANCE: text, DIGEST: _digest_of(weights, text)})


class _DamageError(ValueError):
    """A sentence of this module, which already names its file."""


def _pth(path: Path) -> Any:
    with path.open("rb") as file:
        is_archive = file.read(2) == b"PK"
    if is_archive:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
            if any(record.filename.endswith("/constants.pkl") for record in records):
                raise _DamageError(f"{path}: a program of TorchScript, which is code, and not the weights of a network")
        refuse_damaged_archive(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _safetensors(path: Path) -> dict[str, Any]:
    _check_index(path)
    state = load_file(path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    text = metadata.get(PROVENANCE, "{}")
    if DIGEST in metadata and metadata[DIGEST] != _digest_of(state, text):
        raise _DamageError(f"{path}: damaged: its checksum is not that of its content; {AGAIN}")
    return {"state_dict": state, "meta": json.loads(text)}


def _check_index(path: Path) -> None:
    index = path.parent / INDEX
    if not index.is_file():
        return
    entries = read_json(index, "mend or remove the index")
    for entry in entries.values() if isinstance(entries, dict) else ():
        if isinstance(entry, dict) and entry.get("file") == path.name:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != entry.get("sha256"):
                raise _DamageError(f"{path}: damaged: its checksum is not that of {index}; {AGAIN}")


def _digest_of(state: Mapping[str, Tensor], provenance: str) -> str:
    digest = hashlib.sha256(provenance.encode())
    for name, value in sorted(state.items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _reason(error: BaseException) -> str:
    """In one line, and without PyTorch's advice to load what is refused."""
    text = " ".join(str(error).split())
    if isinstance(error, pickle.UnpicklingError):
        name = re.search(r"(?:GLOBAL|class|type|function|instruction) [`']?([\w.]+)", text)
        return f"it asks for {name[1]}, which is not run" if name else "it holds more than those"
    return text[:200] or "it is empty"
