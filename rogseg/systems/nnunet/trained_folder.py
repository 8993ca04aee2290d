"""A folder that nnU-Net's training wrote: read once, checked entry by entry, with nothing in it looked up or run."""

import copy
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from rogseg.systems.label_classes import LabelClasses
from rogseg.systems.nnunet.architecture import build_network
from rogseg.systems.nnunet.checkpoint import Fold, find_folds, read_fold
from rogseg.systems.nnunet.dataset_file import read_dataset
from rogseg.systems.nnunet.plans_file import read_plans

__all__ = ["TrainedFolder"]


@dataclasses.dataclass(frozen=True)
class TrainedFolder:
    """What decides the outputs of a trained nnU-Net.

    Args:
        path: the folder ``TRAINER__PLANS__CONFIGURATION``.
        plans: the checked entries of ``plans.json``, with the one configuration that was trained.
        dataset: the checked entries of ``dataset.json``.
        configuration: its name.
        trainer: the name of its trainer class.
        folds: those in use.
        networks: one per fold, in evaluation mode.
        mirror_axes: spatial axes, of the network's, that its training mirrored along.
    """

    path: Path
    plans: dict[str, Any]
    dataset: dict[str, Any]
    configuration: str
    trainer: str
    folds: tuple[Fold, ...]
    networks: tuple[nn.Module, ...]
    mirror_axes: tuple[int, ...]

    @classmethod
    def read(cls, path: str | Path, folds: Sequence[Fold] | None, checkpoint: str) -> "TrainedFolder":
        """Read plans, dataset and the checkpoints of the folds.

        As in nnU-Net's predictor, configuration and mirroring axes are those of the first fold's checkpoint.

        Raises:
            ValueError: a file is missing or damaged, or holds what is not supported or not allowed.
        """
        path = Path(path).absolute()
        if not (path / "plans.json").is_file():
            inside = sorted(file.parent.name for file in path.glob("*__*__*/plans.json")) if path.is_dir() else []
            remedy = f": give one of {inside}, which lie in it" if inside else "; give the folder that holds plans.json"
            raise ValueError(f"{path}: no folder TRAINER__PLANS__CONFIGURATION of a trained nnU-Net{remedy}")
        dataset = read_dataset(path / "dataset.json")
        used = find_folds(path, checkpoint, folds)
        files = [path / f"fold_{fold}" / checkpoint for fold in used]
        # Optimiser and log are let go of at once: of several folds the weights alone stay.
        kept = ("network_weights", "trainer_name", "init_args", "inference_allowed_mirroring_axes")
        contents: list[dict[str, Any]] = [{key: content.get(key) for key in kept} for content in map(read_fold, files)]
        trained = {(content["init_args"]["configuration"], content["trainer_name"]) for content in contents}
        if len(trained) > 1:
            raise ValueError(f"{path}: its folds were trained differently: {sorted(trained)}; name folds of one kind")
        ((configuration, trainer),) = trained
        num_channels = len(dataset["channel_names"])
        plans = read_plans(path / "plans.json", configuration, num_channels)
        settings = plans["configurations"][configuration]
        axes = tuple(contents[0]["inference_allowed_mirroring_axes"] or ())
        if len(set(axes)) != len(axes) or any(axis >= len(settings["patch_size"]) for axis in axes):
            raise ValueError(f"{files[0]}: the mirroring axes {axes} are not axes of a patch {settings['patch_size']}")
        try:
            heads = LabelClasses.from_dataset(dataset).num_heads
        except ValueError as error:
            raise ValueError(f"{path / 'dataset.json'}: {error}") from error
        weights = [{key: value.float() for key, value in content["network_weights"].items()} for content in contents]
        networks = tuple(
            build_network(settings["architecture"], num_channels, heads, fold_weights, file)
            for fold_weights, file in zip(weights, files, strict=True)
        )
        return cls(path, plans, dataset, configuration, trainer, used, networks, axes)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The entries of the configuration."""
        settings: Mapping[str, Any] = self.plans["configurations"][self.configuration]
        return settings

    @property
    def slices(self) -> bool:
        """Whether the network is two-dimensional."""
        return len(self.settings["patch_size"]) == 2

    def managers(self) -> tuple[Any, Any, Any]:
        """nnU-Net's own managers of plans, configuration and labels, over checked entries."""
        from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

        # A copy: nnU-Net's objects change what they hold.
        plans_manager = PlansManager(copy.deepcopy(self.plans))
        return (
            plans_manager,
            plans_manager.get_configuration(self.configuration),
            plans_manager.get_label_manager(copy.deepcopy(self.dataset)),
        )

    def digest(self) -> str:
        """SHA-256 over the weights of the folds in use and the checked entries of both files."""
        decided_by = {
            "plans": self.plans,
            "dataset": self.dataset,
            "configuration": self.configuration,
            "mirror_axes": self.mirror_axes,
        }
        content = hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode())
        for fold, network in zip(self.folds, self.networks, strict=True):
            for name, weight in network.named_parameters():
                content.update(f"{fold}/{name}/{tuple(weight.shape)}".encode())
                content.update(weight.detach().cpu().contiguous().numpy().tobytes())
        return content.hexdigest()
