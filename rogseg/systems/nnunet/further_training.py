"""nnU-Net's network trained further: with every head that its training has, and written for its own predictor."""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rogseg.storage import atomic_directory
from rogseg.systems.nnunet.checkpoint import Fold, read_fold
from rogseg.systems.nnunet.trained_folder import TrainedFolder

__all__ = ["TrainedHeads", "write_back"]

COPIED = ("plans.json", "dataset.json", "dataset_fingerprint.json")


class TrainedHeads(nn.Module):
    """One fold's network over windows, whose trained heads all answer, from fine to coarse.

    Args:
        network: as `build_network` made it, its other heads silent; each call leaves it so, for the system shares it.
        deep_supervision: whether its trainer trained the other heads.
        slices: the network is two-dimensional and takes windows (B, C, 1, h, w) as (B, C, h, w).
    """

    def __init__(self, network: nn.Module, *, deep_supervision: bool, slices: bool) -> None:
        super().__init__()
        self.network, self.deep_supervision, self.slices = network, deep_supervision, slices

    def forward(self, windows: Tensor) -> tuple[Tensor, ...]:
        """(B, C, d, h, w) -> logits (B, L, d, h, w), then those of the coarser heads."""
        decoder: Any = self.network.decoder
        decoder.deep_supervision = self.deep_supervision
        try:
            given = self.network(windows.squeeze(2) if self.slices else windows)
        finally:
            decoder.deep_supervision = False
        outputs: tuple[Tensor, ...] = (given,) if isinstance(given, Tensor) else tuple(given)
        return tuple(logits.unsqueeze(2) for logits in outputs) if self.slices else outputs


def write_back(
    folder: TrainedFolder, weights: Mapping[Fold, Mapping[str, Tensor]], out: str | Path, checkpoint: str
) -> Path:
    """Copy a trained folder with the weights of some folds replaced.

    What else a checkpoint holds stays, so the optimiser's state is that of the old weights: predict with the copy, or
    begin a training with its weights; do not continue the old one. Post-processing is not copied: nnU-Net chose it for
    the old weights.

    Args:
        folder: what was trained.
        weights: fold -> the state of its network, one entry per weight; the folds of the copy.
        out: a folder that does not exist yet; its parents are made. Where nnU-Net's commands are to find it, that is
            ``nnUNet_results/DATASET/TRAINER__PLANS__CONFIGURATION``.
        checkpoint: name of the file in each fold's folder, read and written.

    Returns:
        ``out``.

    Raises:
        ValueError: ``out`` exists, a fold is none of the folder's, or the weights are those of another network.
    """
    out = Path(out).absolute()
    networks = dict(zip(folder.folds, folder.networks, strict=True))
    if not weights or not set(weights) <= set(networks):
        raise ValueError(f"{folder.path}: weights are given for folds {list(weights)}, it has {list(networks)}")
    for fold, state in weights.items():
        expected = {name: value.shape for name, value in networks[fold].state_dict().items()}
        if {name: value.shape for name, value in state.items()} != expected:
            raise ValueError(f"{folder.path}: the new weights of fold {fold} are not those of its network")
    with atomic_directory(out, replace=False) as partial:
        for name in COPIED:
            if (folder.path / name).is_file():
                shutil.copyfile(folder.path / name, partial / name)
        for fold, state in weights.items():
            content = read_fold(folder.path / f"fold_{fold}" / checkpoint)
            content["network_weights"] = _in_main_memory(state, content["network_weights"])
            (partial / f"fold_{fold}").mkdir()
            packed = io.BytesIO()  # of a full disk torch.save itself would say nothing that can be understood
            torch.save(content, packed)
            (partial / f"fold_{fold}" / checkpoint).write_bytes(packed.getvalue())
    return out


def _in_main_memory(state: Mapping[str, Tensor], old: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The new weights in the order and type of the old ones; one that has several names stays one in the file."""
    moved: dict[int, Tensor] = {}
    for name, value in state.items():
        moved.setdefault(value.data_ptr(), value.detach().cpu().to(old[name].dtype))
    return {name: moved[state[name].data_ptr()] for name in old}
