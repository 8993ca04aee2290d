"""Put a trained network into the model zoo: its weights alone, their checksum, and the config they belong to."""

import json
from pathlib import Path

from safetensors.torch import save

from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.model_zoo import ZOO_DIRECTORY
from rogseg.engine.training.checkpoints import read_checkpoint
from rogseg.storage import write_bytes_atomic, write_json_atomic

__all__ = ["add_to_zoo"]


def add_to_zoo(name: str, config: str | Path, checkpoint: str | Path, directory: Path = ZOO_DIRECTORY) -> Path:
    """Write ``<name>.safetensors`` and the entry of the index, in place of an older entry of that name.

    Args:
        name: what the network is asked for by.
        config: of its training, below the folder that holds the zoo.
        checkpoint: what a training wrote, or weights alone.
        directory: the zoo.

    Returns:
        The file of the weights.

    Raises:
        ValueError: the config lies elsewhere, or the checkpoint cannot be read.
    """
    root, config = directory.resolve().parent, Path(config).resolve()
    if not (config.is_file() and config.is_relative_to(root)):
        raise ValueError(f"{config}: the config of a zoo model is a file below {root}; put it there first")
    weights = {key: value.contiguous() for key, value in read_checkpoint(checkpoint)["state_dict"].items()}
    path, index = directory / f"{name}.safetensors", directory / "index.json"
    write_bytes_atomic(path, save(weights))
    entries = json.loads(index.read_text()) if index.is_file() else {}
    entries[name] = {
        "config": config.relative_to(root).as_posix(),
        "file": path.name,
        "sha256": digest_of_file(path),
    }
    write_json_atomic(index, dict(sorted(entries.items())))
    return path
