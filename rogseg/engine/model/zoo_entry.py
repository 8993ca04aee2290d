"""Put a trained network into the model zoo: its weights with their lineage and plan, their checksum, their config."""

import dataclasses
import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch

from rogseg.cases import IntensityBox
from rogseg.engine.model.api import load_model
from rogseg.engine.model.model_zoo import ZOO_DIRECTORY, ZooEntry, read_index, write_index
from rogseg.engine.model.recorded_plan import RECORDED_PLAN, plan_path, recorded_choice
from rogseg.foreign import checked_name
from rogseg.models.checkpoints import lineage_path, read_checkpoint, recorded_lineage
from rogseg.models.weight_files import safetensors_bytes
from rogseg.storage import folder_lock, remove_leftovers, write_bytes_atomic

__all__ = ["add_to_zoo"]


def add_to_zoo(
    name: str, config: str | Path, checkpoint: str | Path, directory: Path = ZOO_DIRECTORY, *, half: bool = False
) -> Path:
    """Write ``<name>.safetensors`` and the entry of the index, in place of an older entry of that name.

    One process at a time adds to a zoo, and one that is killed leaves the old network or the new one, whole.

    Args:
        name: what the network is asked for by.
        config: of its training, below the folder that holds the zoo.
        checkpoint: what a training wrote, or weights alone.
        directory: the zoo.
        half: store float16, half the size; networks compute in float32 all the same. Records made with the checkpoint
            itself are those of another network: make them with what is written here.

    Returns:
        The file of the weights.

    Raises:
        ValueError: the name could leave the zoo, the config lies elsewhere, another process writes to the zoo, or the
            network cannot be built from the config with the checkpoint's weights, or gives outputs that are not finite.
    """
    root, config = directory.resolve().parent, Path(config).resolve()
    if not (config.is_file() and config.is_relative_to(root)):
        raise ValueError(f"{config}: the config of a zoo model is a file below {root}; put it there first")
    for one in (name, _set_aside(name)):
        checked_name(one, "--add")
    file = f"{name}.safetensors"
    read = read_checkpoint(checkpoint)
    lineage, choice = recorded_lineage(read, checkpoint), recorded_choice(read, checkpoint)
    provenance = {"lineage": None if lineage is None else lineage.to_json()}
    if choice is not None:
        provenance[RECORDED_PLAN] = choice.to_json()
    weights = {
        key: value.half() if half and value.is_floating_point() else value for key, value in read["state_dict"].items()
    }
    content = safetensors_bytes(weights, provenance)
    entry = ZooEntry(config.relative_to(root).as_posix(), file, hashlib.sha256(content).hexdigest())
    with folder_lock(directory, f"adding {name}"):
        remove_leftovers(directory)
        listed = read_index(directory, "mend the index first")
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / file
            written.write_bytes(content)
            _try(config, written, checkpoint)
        _put(directory, listed, name, entry, content)
    return directory / file


def _put(directory: Path, listed: Mapping[str, ZooEntry], name: str, entry: ZooEntry, content: bytes) -> None:
    """Write the weights and list them, so that at every moment all files that the index names are there and whole.

    No file is written to or deleted while the index names it: the network that is replaced is listed under another
    file until the new one is there. A process that dies in between leaves at most files that the index does not name,
    and the next one that adds the network deletes them.
    """
    aside = _set_aside(name)
    for other, one in listed.items():
        if other != name and one.file in (entry.file, aside):
            raise ValueError(f"{directory / one.file}: is the file of {other}, and would be written over by {name}")
    old = listed.get(name)
    if old is not None and old.file == entry.file and (directory / old.file).is_file():
        for part in (lineage_path, plan_path, Path):
            if part(directory / old.file).is_file():
                write_bytes_atomic(part(directory / aside), part(directory / old.file).read_bytes())
        write_index(directory, {**listed, name: dataclasses.replace(old, file=aside)})
    _delete(directory / entry.file)  # what was recorded beside it is of the old weights, not of the new ones
    write_bytes_atomic(directory / entry.file, content)
    write_index(directory, {**listed, name: entry})
    _delete(directory / aside)


def _set_aside(name: str) -> str:
    """The file of a network while its own is being replaced."""
    return f"{name}.replaced.safetensors"


def _delete(weights: Path) -> None:
    for part in (weights, lineage_path(weights), plan_path(weights)):
        part.unlink(missing_ok=True)


def _try(config: Path, written: Path, checkpoint: str | Path) -> None:
    """Open what is to be added as a user would, and show it one window of the middle of its box."""
    try:
        system = load_model(config, written, device="cpu")
    except ValueError as error:
        raise ValueError(
            f"{checkpoint}: as a zoo model, which is named alone, it cannot be opened, so nothing was added: {error}"
        ) from error
    box = IntensityBox.per_channel(*zip(*(channel.box for channel in system.plan.channels), strict=True))
    middle = (box.lower + box.upper) / 2
    with torch.no_grad():
        logits = system.logits(middle.expand(1, system.plan.num_channels, *system.plan.window_size).clone())
    if logits.shape[1] != system.plan.num_classes or not torch.isfinite(logits).all():
        raise ValueError(
            f"{checkpoint}: shown an empty volume, the network gave {tuple(logits.shape)} logits, of which not all are "
            f"finite, or not one per class of {system.plan.num_classes}: nothing was added"
        )
