"""A config that trains a tiny network on the tiny task within a second."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor, nn

from rogseg.engine.config.load import load_config
from rogseg.registry import BACKBONES

Overrides = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]

TINY_CONFIG = f"""
_base_ = [
    "{ROOT}/configs/_base_/models/rog.py",
    "{ROOT}/configs/_base_/datasets/patches.py",
    "{ROOT}/configs/_base_/schedules/paper.py",
    "{ROOT}/configs/_base_/runtime.py",
]
model = dict(backbone=dict(_delete_=True, type="TinyBackbone", channels=4), head=dict(channels=4))
train_data = dict(num_workers=0)
train_cfg = dict(max_epochs=3, iterations_per_epoch=3)
validation = dict(max_volumes=1, max_patches=1)
selection_fraction = 0.25
"""


def write_tiny_config(directory: Path, extra: str = "") -> Path:
    path = directory / "tiny.py"
    path.write_text(TINY_CONFIG + extra)
    return path


def tiny_config(
    directory: Path, task_dir: Path, work_dir: Path, extra: str = "", overrides: Overrides | None = None
) -> Config:
    path = write_tiny_config(directory, extra)
    return load_config(path, {"work_dir": str(work_dir), **(overrides or {})}, task_dir)


@BACKBONES.register_module()
class TinyBackbone(nn.Module):
    """Two convolutions with dropout, which draws from torch's global generator."""

    def __init__(self, channels: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(1, channels, 3, padding=1), nn.SiLU(), nn.Dropout3d(dropout), nn.Conv3d(channels, channels, 1)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        features: Tensor = self.layers(inputs)
        return features
