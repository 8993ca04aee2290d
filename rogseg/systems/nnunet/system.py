"""A trained nnU-Net (version 2) as a system: its own preprocessing and export, its windows with an exact gradient."""

import functools
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case
from rogseg.inference import RegionVolumeLogits, VolumeLogits
from rogseg.inference.mirrored_copies import mirrored_copies
from rogseg.preprocessing import Volume, read_label
from rogseg.registry import SYSTEMS
from rogseg.storage import RawCase
from rogseg.systems.base import SystemChannel, SystemIdentity
from rogseg.systems.exact_arithmetic import compute_exactly
from rogseg.systems.label_classes import LabelClasses, LabelledSystem
from rogseg.systems.nnunet.checkpoint import Fold, read_fold
from rogseg.systems.nnunet.export import Exporter
from rogseg.systems.nnunet.further_training import TrainedHeads, write_back
from rogseg.systems.nnunet.preparation import CaseReader
from rogseg.systems.nnunet.raw_adversary import raw_adversary
from rogseg.systems.nnunet.trained_folder import TrainedFolder
from rogseg.systems.nnunet.windows import OVERLAP, half_precision_logits, plan_bell_grid
from rogseg.systems.trainable import TrainableNetwork
from rogseg.task_plan import Triple

__all__ = ["NNUNetSystem"]

SINGLE_HEAD_TRAINERS = ("nnUNetTrainerNoDeepSupervision",)
SCANNER_UNITS = "scanner units of the case"


@SYSTEMS.register_module()
class NNUNetSystem(LabelledSystem):
    """A folder that nnU-Net's training wrote, evaluated as its predictor evaluates it.

    Folds and mirrored copies are part of the function that is attacked. Its predictor works in half precision and
    under inference mode; here the same windows, weights, copies and folds are summed in float32, so that there is a
    gradient: labels differ in near-ties alone. `predictor_logits` has the predictor's own precision.

    Args:
        folder: ``TRAINER__PLANS__CONFIGURATION``, with ``plans.json``, ``dataset.json`` and ``fold_N``.
        folds: a number or ``"all"``, or several; None takes every numbered fold that holds the checkpoint.
        checkpoint: name of the file in each fold's folder.
        mirroring: whether the mirrored copies that nnU-Net averages are part of the network.
        device: where windows are evaluated; a GPU is set to `compute_exactly`.
        name: what a person calls it; None takes the folder's name.

    Raises:
        ValueError: nnU-Net is not installed, or the folder is damaged, not supported or not safe to load.
    """

    def __init__(
        self,
        folder: str | Path,
        folds: Sequence[Fold] | Fold | None = None,
        checkpoint: str = "checkpoint_final.pth",
        mirroring: bool = True,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        versions = _versions(folder)
        self.device: torch.device = torch.device(device)
        compute_exactly(self.device)
        self.folder = TrainedFolder.read(folder, [folds] if isinstance(folds, int | str) else folds, checkpoint)
        self.location, self.checkpoint = self.folder.path, checkpoint
        self.label_classes = LabelClasses.from_dataset(self.folder.dataset)
        self.classes = self.label_classes.classes
        names = self.folder.dataset["channel_names"]
        self.channels = tuple(
            SystemChannel(names[str(index)], names[str(index)], "HU" if scheme == "CTNormalization" else SCANNER_UNITS)
            for index, scheme in enumerate(self.folder.settings["normalization_schemes"])
        )
        self.networks = tuple(network.to(self.device) for network in self.folder.networks)
        self.mirror_axes = self.folder.mirror_axes if mirroring else ()
        extents = self.folder.settings["patch_size"]
        self.window_size: Triple = (1, *extents) if self.folder.slices else tuple(extents)
        self.volume_logits = VolumeLogits(
            mirrored_copies(self.networks, self.mirror_axes, slices=self.folder.slices),
            self.window_size,
            OVERLAP,
            compute_device=self.device,
            plan_grid=functools.partial(plan_bell_grid, slices=self.folder.slices),
        )
        self._logits = RegionVolumeLogits(self.volume_logits)
        self._cases, self._exporter = CaseReader(self.folder, self.label_classes), Exporter(self.folder)
        options = {
            "configuration": self.folder.configuration,
            "trainer": self.folder.trainer,
            "checkpoint": checkpoint,
            "folds": list(self.folder.folds),
            "mirrored_axes": list(self.mirror_axes),
            "window_size": list(self.window_size),
            "overlap": OVERLAP,
            "precision": "float32",
        }
        self.identity = SystemIdentity("nnunet", name or self.folder.path.name, self.folder.digest(), options, versions)

    @staticmethod
    def recognises(folder: Path) -> bool:
        """Whether a folder is of nnU-Net's making: a trained network's, or that of a dataset's results."""
        return (folder / "plans.json").is_file() or any(folder.glob("*__*__*/plans.json"))

    def prepare(self, raw: RawCase) -> Case:
        """Read and preprocess a case with nnU-Net's own classes, the label by itself.

        Voxels outside the nonzero mask are not movable where the plan normalises inside it, nor are voxels with the
        ignore label.
        """
        return self._cases.prepare(raw)

    def read_targets(self, raw: RawCase, grid: Volume) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
        """Class indices in the raw grid; voxels with the ignore label do not count."""
        if raw.label is None:
            raise ValueError(f"case {raw.case_id!r} has no label")
        values = self.label_classes.raw_values
        labels = np.array(values)[read_label(raw.label, raw.images[0], grid, values)]
        return self.label_classes.indices_of_raw(labels), self.label_classes.labelled(labels)

    def to_raw(self, logits: Tensor, case: Case) -> NDArray[np.uint8]:
        """Class indices (D, H, W) of what nnU-Net's own export writes, in the raw grid."""
        return self.label_classes.indices_of_written(self._exporter.raw_labels(logits, case.properties.own))

    @property
    def trainable(self) -> tuple[TrainableNetwork, ...]:
        """The network of each fold in use.

        Raises:
            ValueError: the labels have an ignore value, which training would take for background.
        """
        if self.label_classes.ignore_value is not None:
            raise ValueError(
                f"{self.folder.path}: dataset.json has an ignore label, and training would take what nobody labelled "
                "for background: networks of partly labelled cases are not trained further"
            )
        slices = self.folder.slices
        return tuple(
            TrainableNetwork(
                f"fold_{fold}",
                TrainedHeads(network, deep_supervision=self.folder.trainer not in SINGLE_HEAD_TRAINERS, slices=slices),
                tuple(axis + 1 if slices else axis for axis in self.folder.mirror_axes),
            )
            for fold, network in zip(self.folder.folds, self.networks, strict=True)
        )

    def write_back(self, out: Path) -> None:
        """Write the folds in use with the weights that they have now, for nnU-Net's own predictor.

        Where a checkpoint keeps half precision, the network has its weights afterwards as they were rounded.
        """
        weights = {fold: network.state_dict() for fold, network in zip(self.folder.folds, self.networks, strict=True)}
        write_back(self.folder, weights, out, self.checkpoint)
        for fold, network in zip(self.folder.folds, self.networks, strict=True):
            network.load_state_dict(read_fold(out / f"fold_{fold}" / self.checkpoint)["network_weights"])

    def raw_adversary(self, raw: RawCase, case: Case, adversarial: Tensor) -> Volume:
        """The raw image, moved as the prepared case was; refused for readers that turn the axes of files."""
        return raw_adversary(self.folder, raw, case, adversarial)

    def predictor_logits(self, case: Case) -> Tensor:
        """The logits (1, L, D, H, W) float16 that nnU-Net's predictor gives, bit for bit; without a gradient."""
        return half_precision_logits(
            self.networks, self.mirror_axes, self.volume_logits, case.inputs, slices=self.folder.slices
        )


def _versions(folder: str | Path) -> dict[str, str]:
    """Of the packages that compute the outputs; a missing one is named with its remedy."""
    packages = {"nnunetv2": "nnunetv2", "dynamic_network_architectures": "dynamic-network-architectures"}
    missing = [module for module in packages if importlib.util.find_spec(module) is None]
    if missing:
        raise ValueError(
            f"{folder}: a folder of nnU-Net needs {' and '.join(missing)}, which are not installed: "
            "pip install 'rogseg[nnunet]'"
        )
    return {package: importlib.metadata.version(package) for package in ("torch", *packages.values())}
