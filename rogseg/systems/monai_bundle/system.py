"""A MONAI bundle's folder as a system: its network, preprocessing and inferer read as data."""

import hashlib
import shutil
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rogseg.foreign import read_json
from rogseg.inference.one_answer import in_evaluation_mode
from rogseg.registry import SYSTEMS
from rogseg.storage import atomic_directory
from rogseg.systems.any_network.network_system import NetworkSystem, installed
from rogseg.systems.any_network.torch_module import digest_of_module
from rogseg.systems.any_network.weights import WeightFile
from rogseg.systems.any_network.window_logits import TrainedWindows
from rogseg.systems.monai_bundle.config_file import MAX_BYTES, BundleConfig
from rogseg.systems.monai_bundle.inferer import read_windows
from rogseg.systems.monai_bundle.network import bundle_network
from rogseg.systems.monai_bundle.postprocessing import read_postprocessing
from rogseg.systems.monai_bundle.preprocessing import read_preprocessing
from rogseg.systems.trainable import TrainableNetwork

__all__ = ["MonaiBundle"]

CONFIGS = ("inference.json", "inference.yaml", "inference.yml")
METADATA = "metadata.json"
RELABELLING = "MapLabelValue"


@SYSTEMS.register_module()
class MonaiBundle(NetworkSystem):
    """A bundle folder: ``configs/inference.json``, ``configs/metadata.json``, ``models/model.pt``.

    Of its config ``network_def``, ``preprocessing``, ``inferer`` and ``postprocessing`` are read; nothing else is
    looked at. The grid is ours: images are resampled onto a grid of the same extent, where MONAI keeps the first
    voxel's centre; windows are placed and blended as MONAI does. Steps that change the label map afterwards, such as
    keeping the largest component, are no part of the system; the record names them.

    Args:
        folder: of the bundle.
        checkpoint: the weights, in the folder; code in them never runs.
        weights_key: under which key of that file the state dict lies.
        classes: the foreground classes, see `Outputs`; None takes the names of the metadata.
        channels: names of the input channels; None takes those of the metadata.
        output_key: which entry of a tuple or dictionary the network's logits are.
        probabilities: whether the network ends in its activation, see `Outputs`.
        trust: that whoever made the bundle may run code here: expressions, and classes that are not on the list.
        device: where windows are evaluated; a GPU is set to `compute_exactly`.
        name: what a person calls it; None takes the folder's name.

    Raises:
        ValueError: MONAI is not installed, or the folder is incomplete, damaged or holds what is not allowed.
    """

    def __init__(
        self,
        folder: str | Path,
        checkpoint: str = "models/model.pt",
        weights_key: str | None = None,
        classes: Sequence[Any] | None = None,
        channels: Sequence[str] | None = None,
        output_key: int | str | None = None,
        probabilities: bool = False,
        trust: bool = False,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        self.folder = self.location = Path(folder).absolute()
        versions = installed(("torch", "monai"), "monai", self.folder)
        config = BundleConfig(_config_path(self.folder), self.folder, trust=trust)
        self._checkpoint = checkpoint
        self._file = WeightFile.read(_inside(self.folder, checkpoint), weights_key)
        module = bundle_network(config, self._file)
        self.networks: tuple[nn.Module] = (in_evaluation_mode(module).requires_grad_(False).to(device),)
        """The module itself, whose weights a training may change."""
        formats = _formats(self.folder / "configs" / METADATA)
        given, post = read_preprocessing(config), read_postprocessing(config, probabilities=probabilities)
        if classes is None and RELABELLING in post.left_out:
            raise ValueError(
                f"{config.path}: postprocessing gives the classes other label values ({RELABELLING}): say which, for "
                "instance with --cfg-options \"classes=[dict(name='spleen', values=[3])]\""
            )
        windows = read_windows(config, given.multiple_of)
        names = _channel_names(formats, "inputs")
        foreground = _channel_names(formats, "outputs")
        activation = post.activation or ("sigmoid" if len(foreground) == 1 else "softmax")
        super().__init__(
            kind="monai",
            name=name or self.folder.name,
            network=module,
            inputs={
                "channels": tuple(channels or names or ("channel_0",)),
                "intensity": tuple(given.intensity),
                "spacing": given.spacing,
                "orientation": given.orientation,
                "interpolation": given.interpolation,
            },
            windows=windows,
            outputs={
                "classes": tuple(classes or _foreground(foreground, activation, config.path)),
                "activation": activation,
                "probabilities": probabilities,
                "key": output_key,
            },
            device=device,
            digest=hashlib.sha256(f"{digest_of_module(module)} {_digest(config.path)}".encode()).hexdigest(),
            options={"checkpoint": checkpoint, "trust": trust, "left_out_of_postprocessing": list(post.left_out)},
            versions=versions,
        )

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a folder is a bundle."""
        return any((folder / "configs" / name).is_file() for name in (*CONFIGS, METADATA))

    @property
    def trainable(self) -> tuple[TrainableNetwork, ...]:
        """The bundle's network."""
        return (TrainableNetwork("network", TrainedWindows(self.networks[0], self.window_logits)),)

    def write_back(self, out: Path) -> None:
        """Write a copy of the bundle with the weights that its module has now.

        Exported programs in it (``.ts``, ``.pt2``, ``.onnx``) hold the old weights and are not copied. Where the
        checkpoint keeps half precision, the module has its weights afterwards as they were rounded.

        Args:
            out: a folder that does not exist yet, which MONAI's own tools load afterwards.

        Raises:
            ValueError: ``out`` exists.
        """
        if out.resolve().is_relative_to(self.folder.resolve()):
            raise ValueError(f"{out}: lies in the bundle that is copied there; name a folder outside of {self.folder}")
        with atomic_directory(out, replace=False) as partial:
            old_programs = shutil.ignore_patterns("*.ts", "*.pt2", "*.onnx", Path(self._checkpoint).name)
            shutil.copytree(self.folder, partial, symlinks=True, ignore=old_programs, dirs_exist_ok=True)
            for path in (partial, *partial.rglob("*")):  # of a bundle that its user may only read
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | stat.S_IWUSR)
            # A link in the bundle may lead out of the copy, for instance to the old weights.
            written = self._file.write(_inside(partial, self._checkpoint), self.networks[0].state_dict())
            self.networks[0].load_state_dict(written)


def _config_path(folder: Path) -> Path:
    for name in CONFIGS:
        if (folder / "configs" / name).is_file():
            return folder / "configs" / name
    raise ValueError(f"{folder}: a bundle without configs/inference.json; its training config alone names no inferer")


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{folder}: checkpoint {name!r} lies outside of the bundle; name a file in it")
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _formats(path: Path) -> Mapping[str, Any]:
    """``network_data_format`` of the metadata; empty where there is none."""
    if not path.is_file():
        return {}
    content = read_json(path, "mend or remove the metadata", MAX_BYTES)
    formats = content.get("network_data_format") if isinstance(content, dict) else None
    return formats if isinstance(formats, dict) else {}


def _channel_names(formats: Mapping[str, Any], side: str) -> tuple[str, ...]:
    """Names of the channels of the one input or output, in their order; a CT image is called CT."""
    entries = formats.get(side)
    entry = next(iter(entries.values()), None) if isinstance(entries, dict) else None
    if not isinstance(entry, dict):
        return ()
    defined = entry.get("channel_def")
    defined = defined if isinstance(defined, dict) else {}
    names = [str(defined[key]) for key in sorted(defined, key=lambda key: (len(str(key)), str(key)))]
    if len(set(names)) < len(names):
        names = [f"{name}_{index}" for index, name in enumerate(names)]
    if side == "inputs" and len(names) <= 1 and str(entry.get("modality", "")).upper() == "CT":
        return ("CT",)
    if not names and side == "inputs" and type(entry.get("num_channels")) is int:
        return tuple(f"channel_{index}" for index in range(min(entry["num_channels"], 64)))
    return tuple(names)


def _foreground(names: Sequence[str], activation: str, path: Path) -> Sequence[str]:
    ask = "name the foreground classes, for instance with --cfg-options \"classes=['spleen']\""
    if activation == "sigmoid" and len(names) > 1:
        raise ValueError(
            f"{path}: the channels {', '.join(names)} are independent, so say which label values each of them holds: "
            f"--cfg-options \"classes=[dict(name='{names[0]}', values=[1, 4]), ...]\""
        )
    found = names if activation == "sigmoid" else names[1:]
    if not found:
        raise ValueError(f"{path}: the metadata beside it do not name the classes; {ask}")
    return found
