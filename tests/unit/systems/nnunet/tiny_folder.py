"""A trained nnU-Net's folder with a small network of random weights, and raw cases for it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from torch import nn

from rogseg.storage import RawCase
from rogseg.systems.nnunet.allowed_names import CONVOLUTIONS, NORMS

LABELS = {"background": 0, "organ": 1, "lesion": 2}
REGIONS = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "rim": 3}
RESAMPLE = "resample_data_or_seg_to_shape"


def architecture(dimensions: int = 3, *, residual: bool = False) -> dict[str, Any]:
    kind = "ResidualEncoderUNet" if residual else "PlainConvUNet"
    return {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
        "arch_kwargs": {
            "n_stages": 2,
            "features_per_stage": [4, 6],
            "conv_op": CONVOLUTIONS[dimensions],
            "kernel_sizes": [[3] * dimensions] * 2,
            "strides": [[1] * dimensions, [2] * dimensions],
            "n_blocks_per_stage" if residual else "n_conv_per_stage": [1, 1],
            "n_conv_per_stage_decoder": [1],
            "conv_bias": True,
            "norm_op": NORMS[dimensions],
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def tiny_plans(
    *,
    dimensions: int = 3,
    schemes: Sequence[str] = ("ZScoreNormalization",),
    masked: bool = False,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    transpose: Sequence[int] = (0, 1, 2),
    residual: bool = False,
    reader: str = "SimpleITKIO",
) -> dict[str, Any]:
    resampling = {"is_seg": False, "order": 3, "order_z": 0, "force_separate_z": None}
    configuration = {
        "data_identifier": "unread",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [8, 12, 8][-dimensions:],
        "spacing": list(spacing)[-dimensions:],
        "normalization_schemes": list(schemes),
        "use_mask_for_norm": [masked] * len(schemes),
        "resampling_fn_data": RESAMPLE,
        "resampling_fn_seg": RESAMPLE,
        "resampling_fn_probabilities": RESAMPLE,
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_seg_kwargs": {**resampling, "is_seg": True, "order": 1},
        "resampling_fn_probabilities_kwargs": {**resampling, "order": 1},
        "architecture": architecture(dimensions, residual=residual),
        "batch_dice": False,
    }
    intensity = {"max": 300.0, "mean": 60.0, "median": 55.0, "min": -90.0, "percentile_00_5": -40.0}
    return {
        "dataset_name": "Dataset999_Tiny",
        "plans_name": "nnUNetPlans",
        "image_reader_writer": reader,
        "transpose_forward": list(transpose),
        "transpose_backward": [list(transpose).index(axis) for axis in range(3)],
        "configurations": {"3d_fullres" if dimensions == 3 else "2d": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {
            str(channel): {**intensity, "percentile_99_5": 190.0, "std": 37.0} for channel in range(len(schemes))
        },
    }


def tiny_dataset(labels: dict[str, Any] = LABELS, num_channels: int = 1) -> dict[str, Any]:
    regions = any(isinstance(value, list) for value in labels.values())
    dataset: dict[str, Any] = {
        "channel_names": {str(channel): f"MR{channel}" for channel in range(num_channels)},
        "labels": labels,
        "file_ending": ".nii.gz",
        "numTraining": 3,
    }
    return {**dataset, "regions_class_order": [1, 2, 3]} if regions else dataset


def random_weights(arch: dict[str, Any], channels: int, heads: int, seed: int) -> dict[str, torch.Tensor]:
    """Of a network whose labels vary from place to place."""
    unet = pytest.importorskip("dynamic_network_architectures.architectures.unet")
    three = arch["arch_kwargs"]["conv_op"] == CONVOLUTIONS[3]
    classes = {
        "conv_op": nn.Conv3d if three else nn.Conv2d,
        "norm_op": nn.InstanceNorm3d if three else nn.InstanceNorm2d,
        "nonlin": nn.LeakyReLU,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = getattr(unet, arch["network_class_name"].rsplit(".", 1)[1])(
            input_channels=channels, num_classes=heads, **{**arch["arch_kwargs"], **classes}, deep_supervision=False
        )
        for parameter in network.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
    return {key: value.detach().clone() for key, value in network.state_dict().items()}


def write_folder(
    path: Path,
    plans: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
    *,
    folds: Sequence[int | str] = (0,),
    axes: Sequence[int] | None = (0, 1, 2),
    changes: dict[str, Any] | None = None,
) -> Path:
    """The folder of a finished training, with checkpoints as nnU-Net writes them; ``changes`` replace their entries."""
    plans = tiny_plans() if plans is None else plans
    dataset = tiny_dataset() if dataset is None else dataset
    ((name, configuration),) = plans["configurations"].items()
    path.mkdir(parents=True, exist_ok=True)
    (path / "plans.json").write_text(json.dumps(plans))
    (path / "dataset.json").write_text(json.dumps(dataset))
    labels = [value for key, value in dataset["labels"].items() if key != "ignore"]
    heads = len(labels) - 1 if "regions_class_order" in dataset else len(labels)
    for fold in folds:
        seed = 7 if fold == "all" else int(fold)
        weights = random_weights(configuration["architecture"], len(dataset["channel_names"]), heads, seed)
        checkpoint = {
            "network_weights": weights,
            "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01}]},
            "grad_scaler_state": None,
            "logging": {"mean_fg_dice": [np.float64(0.5), np.float32(0.25)], "epoch": [np.int64(3)]},
            "_best_ema": np.float64(0.75),
            "current_epoch": 5,
            "init_args": {
                "plans": plans,
                "configuration": name,
                "fold": fold,
                "dataset_json": dataset,
                "device": "cpu",
            },
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": None if axes is None else tuple(axes),
            **(changes or {}),
        }
        (path / f"fold_{fold}").mkdir(exist_ok=True)
        torch.save(checkpoint, path / f"fold_{fold}" / "checkpoint_final.pth")
    return path


def write_case(
    directory: Path,
    shape: tuple[int, int, int] = (13, 11, 17),
    *,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    channels: int = 1,
    labels: Sequence[int] = (0, 1, 2),
    corner: bool = False,
    flip: bool = False,
    seed: int = 0,
) -> RawCase:
    """One file per channel and a label; a border of zeros lies around the image, and the label reaches into it.

    With ``corner`` an eighth of the image is zero as well, so that its nonzero mask does not fill its box; with
    ``flip`` the axes of the file are not those of the patient.
    """
    generator = np.random.default_rng(seed)
    directory.mkdir(parents=True, exist_ok=True)
    affine = np.diag([*spacing, 1.0])
    if flip:
        affine[:3, :3] = affine[:3, :3][:, [1, 0, 2]] * [1, -1, 1]
    affine[:3, 3] = (-20.0, 30.0, 5.0)
    inner = tuple(slice(2, length - 2) for length in shape)
    images = []
    for channel in range(channels):
        image = np.zeros(shape, dtype=np.float32)
        values = generator.normal(60, 70, image[inner].shape).round(1)
        image[inner] = np.where(values == 0, 1, values)
        if corner:
            image[tuple(slice(0, length // 2) for length in shape)] = 0
        images.append(directory / f"case_{seed}_{channel:04d}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(image, affine), images[-1])
    label = generator.choice(np.array(labels, dtype=np.uint8), shape)
    nibabel.save(nibabel.Nifti1Image(label, affine), directory / f"case_{seed}.nii.gz")
    return RawCase(f"case_{seed}", tuple(images), directory / f"case_{seed}.nii.gz")
