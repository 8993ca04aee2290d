"""Patches and whole volumes of stored cases."""

from rogseg.datasets.patch_dataset import PatchDataset, PatchKey, PatchSampler
from rogseg.datasets.volume_dataset import VolumeDataset

__all__ = ["PatchDataset", "PatchKey", "PatchSampler", "VolumeDataset"]
