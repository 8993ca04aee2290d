"""Raw tasks of small cases in the manner of CT and of MR, and a network of random weights for them."""

import json
from pathlib import Path
from typing import Literal

import nibabel
import numpy as np
import torch

from rogseg.engine.config.load import load_config
from rogseg.preprocessing import preprocess_task
from rogseg.registry import MODELS
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan
from tests.tiny_training import write_tiny_config

TASK = "Task98_Small"
CASE_IDS = tuple(f"small_{index}" for index in range(5))
CHANNELS = {
    "ct": ChannelIntensity("CT", False, -100.0, 200.0, 30.0, 60.0),
    # The window ends inside of the range of every case, at both ends.
    "mr": ChannelIntensity("MRI", True, 0.05, 0.6, 0.2, 0.1),
}


def write_raw_task(
    directory: Path, kind: Literal["ct", "mr"], spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Path:
    """Five cases whose files are stored from left to right and say so by qform and sform, int16 or uint8."""
    raw = directory / "raw" / TASK
    affine = np.diag([-spacing[0], spacing[1], spacing[2], 1.0])
    affine[:3, 3] = (40.0, -20.0, 7.0)
    for folder in ("imagesTr", "labelsTr"):
        (raw / folder).mkdir(parents=True)
    for number, case_id in enumerate(CASE_IDS):
        generator = np.random.default_rng(number)
        label = np.zeros((16, 15, 14), dtype=np.uint8)
        label[4:13, 3:11, 4:11] = 1
        label[6:9, 5:8, 6:9] = 2
        noise = generator.normal(0, 20, label.shape)
        if kind == "ct":
            image = np.rint(-20 + 60.0 * label + noise * 3).astype(np.int16)
        else:
            image = np.clip(np.rint(30 + 40.0 * label + noise), 0, 255).astype(np.uint8)
            image[:, :, :3] = 0
            image[1, 1, 5] = 255
        for folder, array in (("imagesTr", image), ("labelsTr", label)):
            file = nibabel.Nifti1Image(array, affine)
            file.set_qform(affine, 1)
            file.set_sform(affine, 1)
            nibabel.save(file, raw / folder / f"{case_id}.nii.gz")
    index = {
        "name": "small",
        "modality": {"0": CHANNELS[kind].modality},
        "labels": {"0": "background", "1": "organ", "2": "lesion"},
        "training": [
            {"image": f"./imagesTr/{case_id}.nii.gz", "label": f"./labelsTr/{case_id}.nii.gz"} for case_id in CASE_IDS
        ],
        "test": [],
    }
    (raw / "dataset.json").write_text(json.dumps(index))
    return raw


def raw_plan(kind: Literal["ct", "mr"]) -> TaskPlan:
    return TaskPlan(
        name=TASK,
        channels=(CHANNELS[kind],),
        classes=(ForegroundClass("organ", "organ"), ForegroundClass("lesion", "lesion")),
        label_values=(0, 1, 2),
        spacing=(1.0, 1.0, 1.0),
        patch_size=(16, 16, 16),
        crop_size=(16, 16, 16),
        window_size=(16, 16, 16),
        strides=((1, 1, 1), (2, 2, 2), (2, 2, 2)),
        orientation="RAS",
    )


def store_with_networks(directory: Path, raw: Path, kind: Literal["ct", "mr"], names: tuple[str, ...]) -> Path:
    """Preprocess a raw task, and write ``tiny.py`` and a checkpoint of random weights for each name."""
    preprocess_task(raw, directory / "stored" / TASK, plan=raw_plan(kind))
    config = load_config(write_tiny_config(directory), {}, directory / "stored" / TASK)
    for seed, name in enumerate(names):
        torch.manual_seed(seed)
        torch.save({"state_dict": MODELS.build(config.model).state_dict()}, directory / f"{name}.pth")
    return directory / "tiny.py"
