"""The model zoo: trained networks by name, each with its config, its file and the file's checksum.

``model_zoo/index.json`` beside ``configs/`` lists them; ``model_zoo.md`` says how each was trained and what it reaches.
"""

import dataclasses
import json
from pathlib import Path

from rogseg.engine.config.keys import nearest
from rogseg.engine.digests import digest_of_file
from rogseg.shipped_configs import find_config, shipped_folder

__all__ = ["ZOO_DIRECTORY", "ZooModel", "config_and_checkpoint", "zoo_checkpoint", "zoo_model", "zoo_models"]

ZOO_DIRECTORY = shipped_folder("model_zoo")


@dataclasses.dataclass(frozen=True)
class ZooModel:
    """An entry of the zoo.

    Args:
        name: what it is asked for by.
        config: of its training.
        checkpoint: its weights.
        sha256: of the weights' file.
    """

    name: str
    config: Path
    checkpoint: Path
    sha256: str

    def verified(self) -> "ZooModel":
        """The entry, once its file is known to be whole.

        Raises:
            ValueError: the file is absent or its content is not what the index promises.
        """
        if not self.checkpoint.is_file():
            raise ValueError(f"{self.checkpoint}: the weights of {self.name} are not here; get the whole repository")
        if digest_of_file(self.checkpoint) != self.sha256:
            raise ValueError(f"{self.checkpoint}: its checksum is not that of the index; get the file again")
        return self


def zoo_models(directory: Path = ZOO_DIRECTORY) -> dict[str, ZooModel]:
    """All entries by name; none where the folder has no index, as in an installation without the repository."""
    index = directory / "index.json"
    if not index.is_file():
        return {}
    return {
        name: ZooModel(name, directory.parent / entry["config"], directory / entry["file"], entry["sha256"])
        for name, entry in json.loads(index.read_text()).items()
    }


def zoo_model(name: str, directory: Path = ZOO_DIRECTORY) -> ZooModel:
    """One entry, verified.

    Raises:
        ValueError: there is no such model, or its file is damaged.
    """
    models = zoo_models(directory)
    if name not in models:
        raise ValueError(f"the model zoo has no {name!r}: {nearest(name, models)}")
    return models[name].verified()


def zoo_checkpoint(name: str, directory: Path = ZOO_DIRECTORY) -> Path | None:
    """The verified weights of an entry, or None where the zoo has none of that name.

    Raises:
        ValueError: the file is damaged.
    """
    return zoo_model(name, directory).checkpoint if name in zoo_models(directory) else None


def config_and_checkpoint(
    config: str | Path, checkpoint: str | Path | None, directory: Path = ZOO_DIRECTORY
) -> tuple[Path, Path]:
    """What a command line names: a config, by file or name, with its weights; or a network of the zoo, which has both.

    Raises:
        ValueError: there is no such config, or weights are given neither by a file nor by the zoo.
    """
    if checkpoint is not None:
        return find_config(config, "network"), Path(checkpoint)
    models = zoo_models(directory)
    if str(config) in models:
        entry = models[str(config)].verified()
        return entry.config, entry.checkpoint
    find_config(config, "network")
    raise ValueError(
        f"{config}: its weights are missing: write the checkpoint after the config, or a network of the model zoo "
        f"alone: {', '.join(models) or 'this installation has none'}"
    )
