"""Put a trained network into the model zoo: its weights with their lineage and plan, their checksum, their config."""

import tempfile
from pathlib import Path

import torch

from rogseg.cases import IntensityBox
from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.api import load_model
from rogseg.engine.model.model_zoo import ZOO_DIRECTORY
from rogseg.engine.model.recorded_plan import RECORDED_PLAN, recorded_choice
from rogseg.foreign import checked_name, read_json
from rogseg.models.checkpoints import read_checkpoint, recorded_lineage
from rogseg.models.weight_files import safetensors_bytes
from rogseg.storage import write_bytes_atomic, write_json_atomic

__all__ = ["add_to_zoo"]


def add_to_zoo(
    name: str, config: str | Path, checkpoint: str | Path, directory: Path = ZOO_DIRECTORY, *, half: bool = False
) -> Path:
    """Write ``<name>.safetensors`` and the entry of the index, in place of an older entry of that name.

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
        ValueError: the name could leave the zoo, the config lies elsewhere, or the network cannot be built from it with
            the checkpoint's weights, or gives outputs that are not finite.
    """
    root, config = directory.resolve().parent, Path(config).resolve()
    if not (config.is_file() and config.is_relative_to(root)):
        raise ValueError(f"{config}: the config of a zoo model is a file below {root}; put it there first")
    file = f"{checked_name(name, '--add')}.safetensors"
    read = read_checkpoint(checkpoint)
    lineage, choice = recorded_lineage(read, checkpoint), recorded_choice(read, checkpoint)
    provenance = {"lineage": None if lineage is None else lineage.to_json()}
    if choice is not None:
        provenance[RECORDED_PLAN] = choice.to_json()
    weights = {
        key: value.half() if half and value.is_floating_point() else value for key, value in read["state_dict"].items()
    }
    path, index = directory / file, directory / "index.json"
    entries = read_json(index, "mend the index first") if index.is_file() else {}
    content = safetensors_bytes(weights, provenance)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / file
        written.write_bytes(content)
        _try(config, written, checkpoint)
    write_bytes_atomic(path, content)
    entries[name] = {
        "config": config.relative_to(root).as_posix(),
        "file": path.name,
        "sha256": digest_of_file(path),
    }
    write_json_atomic(index, dict(sorted(entries.items())))
    return path


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
