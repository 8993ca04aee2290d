"""Put a trained network into the model zoo: its weights, their checksum and lineage, the config they belong to."""

from pathlib import Path

from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.model_zoo import ZOO_DIRECTORY
from rogseg.foreign import checked_name, read_json
from rogseg.models.checkpoints import read_checkpoint, recorded_lineage
from rogseg.models.weight_files import safetensors_bytes
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
        ValueError: the name could leave the zoo, the config lies elsewhere, or the checkpoint cannot be read.
    """
    root, config = directory.resolve().parent, Path(config).resolve()
    if not (config.is_file() and config.is_relative_to(root)):
        raise ValueError(f"{config}: the config of a zoo model is a file below {root}; put it there first")
    file = f"{checked_name(name, '--add')}.safetensors"
    read = read_checkpoint(checkpoint)
    lineage = recorded_lineage(read, checkpoint)
    path, index = directory / file, directory / "index.json"
    entries = read_json(index, "mend the index first") if index.is_file() else {}
    write_bytes_atomic(
        path, safetensors_bytes(read["state_dict"], {"lineage": None if lineage is None else lineage.to_json()})
    )
    entries[name] = {
        "config": config.relative_to(root).as_posix(),
        "file": path.name,
        "sha256": digest_of_file(path),
    }
    write_json_atomic(index, dict(sorted(entries.items())))
    return path
