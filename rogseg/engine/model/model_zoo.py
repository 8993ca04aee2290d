"""The model zoo: trained networks by name, each with its config, its file and the file's checksum.

``model_zoo/index.json`` beside ``configs/`` lists them; ``model_zoo.md`` says how each was trained and what it reaches.
"""

import dataclasses
from pathlib import Path

from rogseg.engine.config.keys import nearest
from rogseg.engine.digests import digest_of_file
from rogseg.foreign import checked_name, decode, read_json
from rogseg.shipped_configs import shipped_folder

__all__ = ["ZOO_DIRECTORY", "ZooModel", "zoo_checkpoint", "zoo_model", "zoo_models"]

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


@dataclasses.dataclass(frozen=True)
class _Entry:
    """What the index says of a network."""

    config: str
    file: str
    sha256: str


def zoo_models(directory: Path = ZOO_DIRECTORY) -> dict[str, ZooModel]:
    """All entries by name; none where the folder has no index, as in an installation without the repository.

    Raises:
        ValueError: the index is none, or an entry leaves its folder.
    """
    index = directory / "index.json"
    if not index.is_file():
        return {}
    remedy = "get the whole repository again"
    entries = decode(read_json(index, remedy), dict[str, _Entry], str(index))
    root = directory.resolve().parent
    models = {}
    for name, entry in entries.items():
        config = (root / entry.config).resolve()
        if not config.is_relative_to(root):
            raise ValueError(f"{index}: {name}: its config {entry.config!r} does not lie below {root}; {remedy}")
        file = directory / checked_name(entry.file, f"{index}: {name}")
        models[checked_name(name, index)] = ZooModel(name, config, file, entry.sha256)
    return models


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
