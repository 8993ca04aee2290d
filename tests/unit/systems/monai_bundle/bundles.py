"""Bundle folders with small networks, written by MONAI's own tool, and by hand where it would refuse."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

UNET: dict[str, Any] = {
    "_target_": "UNet",
    "spatial_dims": "@spatial_dims",
    "in_channels": 1,
    "out_channels": 3,
    "channels": [4, 8],
    "strides": [2],
    "norm": "instance",
}
INFERENCE: dict[str, Any] = {
    "imports": ["$import glob", "$import os"],
    "bundle_root": ".",
    "spatial_dims": 3,
    "window": [8, 8, 8],
    "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
    "network_def": UNET,
    "network": "$@network_def.to(@device)",
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image"},
            {"_target_": "EnsureChannelFirstd", "keys": "image"},
            {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "image", "pixdim": [1.0, 1.0, 1.5], "mode": "bilinear"},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "image",
                "a_min": -57,
                "a_max": 164,
                "b_min": 0.0,
                "b_max": 1.0,
                "clip": True,
            },
            {"_target_": "EnsureTyped", "keys": "image", "device": "@device"},
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": "@window", "sw_batch_size": 2, "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "Activationsd", "keys": "pred", "softmax": True},
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "device": "@device"},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            {"_target_": "KeepLargestConnectedComponentd", "keys": "pred", "applied_labels": [1]},
        ],
    },
    "dataset": {
        "_target_": "Dataset",
        "data": "$[{'image': i} for i in glob.glob('*')]",
        "transform": "@preprocessing",
    },
}
METADATA: dict[str, Any] = {
    "version": "0.1.0",
    "network_data_format": {
        "inputs": {"image": {"modality": "CT", "num_channels": 1, "channel_def": {"0": "image"}}},
        "outputs": {"pred": {"num_channels": 3, "channel_def": {"0": "background", "1": "liver", "2": "tumour"}}},
    },
}


def seeded_network(definition: dict[str, Any], name: str | None = None) -> nn.Module:
    nets = pytest.importorskip("monai.networks.nets")
    arguments = {key: 3 if value == "@spatial_dims" else value for key, value in definition.items() if key[0] != "_"}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network: nn.Module = getattr(nets, name or definition["_target_"])(**arguments)
    return network.eval()


def write_bundle(folder: Path, network: nn.Module | None = None, **changes: Any) -> Path:
    """What ``python -m monai.bundle init_bundle`` writes; ``changes`` replace entries of the inference config.

    A key with ``__`` leads into entries: ``network_def__out_channels``.
    """
    bundle = pytest.importorskip("monai.bundle")
    inference, metadata = copy.deepcopy(INFERENCE), copy.deepcopy(METADATA)
    metadata.update(changes.pop("metadata", {}))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = inference
        for key in parents:
            place = place[key]
        place[last] = value
    network = seeded_network(UNET) if network is None else network
    bundle.init_bundle(folder, network=network, metadata_str=metadata, inference_str=json.dumps(inference))
    return folder
