"""``plans.json``: the one configuration that is used, resolved and checked, and nothing else of the file."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rogseg.systems.nnunet.allowed_names import LABEL_MANAGERS, NORMALIZATIONS, PREPROCESSORS, READERS, RESAMPLINGS
from rogseg.systems.nnunet.architecture import checked_architecture
from rogseg.systems.nnunet.fields import Field, flag, list_of, number, one_of, pick, read_own_json, text, whole_number

__all__ = ["read_plans"]

_MAX_PATCH_VOXELS = 2**25
_UNET_CLASSES = ("PlainConvUNet", "ResidualEncoderUNet")
_OBJECT = Field(lambda value: isinstance(value, dict), "an object")
_STAGE_COUNTS = tuple(range(1, 13))
_SEPARATE_Z = {
    "is_seg": flag(),
    "force_separate_z": Field(lambda value: value is None or isinstance(value, bool), "true, false or null").optional(),
    "separate_z_anisotropy_threshold": number(0).optional(),
}
_RESAMPLING_ARGUMENTS: dict[str, dict[str, Field]] = {
    "resample_data_or_seg_to_shape": {
        **_SEPARATE_Z,
        "order": whole_number(0, 5).optional(),
        "order_z": whole_number(0, 5).optional(),
    },
    "resample_torch_fornnunet": {
        **_SEPARATE_Z,
        "memefficient_seg_resampling": flag().optional(),
        "num_threads": whole_number(1, 64).optional(),
    },
    "no_resampling_hack": {},
}
_CT_INTENSITY = {"mean": number(), "std": number(0), "percentile_00_5": number(), "percentile_99_5": number()}


def read_plans(path: Path, configuration: str, num_channels: int) -> dict[str, Any]:
    """What nnU-Net's `PlansManager` may be given: the checked entries of a plan with one configuration.

    An entry that nnU-Net does not read is left behind; what it reads is on a list, or refused.

    Args:
        path: of ``plans.json``.
        configuration: its name, as the checkpoint has it.
        num_channels: that the dataset has.

    Raises:
        ValueError: an entry is missing or not allowed, or the configuration is a cascade.
    """
    content = read_own_json(path)
    axes = list_of(whole_number(0, 2), 3)
    plans = pick(
        content,
        {
            "dataset_name": text(),
            "plans_name": text(),
            "image_reader_writer": one_of(READERS),
            "transpose_forward": axes,
            "transpose_backward": axes,
            "label_manager": one_of(LABEL_MANAGERS).optional(),
            "configurations": _OBJECT,
        },
        str(path),
    )
    forward, backward = plans["transpose_forward"], plans["transpose_backward"]
    if sorted(forward) != [0, 1, 2] or [forward[axis] for axis in backward] != [0, 1, 2]:
        raise ValueError(
            f"{path}: 'transpose_backward' {backward} does not undo 'transpose_forward' {forward}; fetch the file again"
        )
    resolved = _inherited(plans["configurations"], configuration, path)
    checked = _checked_configuration(resolved, num_channels, f"{path}: configurations.{configuration}")
    key = "foreground_intensity_properties_per_channel"
    # Plans from before version 2.1 have the other name.
    intensities = content.get(key, content.get("foreground_intensity_properties_by_modality"))
    return {
        **plans,
        "label_manager": "LabelManager",
        "configurations": {configuration: checked},
        key: _intensities(intensities, checked["normalization_schemes"], f"{path}: {key}"),
    }


def _intensities(content: Any, schemes: Sequence[str], where: str) -> dict[str, dict[str, float]]:
    """The statistics of the training cases that CT is normalised by; the other normalisations read none."""
    channels = pick(content, {str(channel): _OBJECT for channel in range(len(schemes))}, where)
    return {
        channel: pick(entry, _CT_INTENSITY, f"{where}.{channel}") if scheme == "CTNormalization" else {}
        for (channel, entry), scheme in zip(channels.items(), schemes, strict=True)
    }


def _inherited(configurations: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    """The entries of a configuration over those that it inherits."""
    chain: list[dict[str, Any]] = []
    seen: list[str] = []
    parent: Any = name
    while parent is not None:
        if parent in seen:
            raise ValueError(f"{path}: the configurations {seen} inherit from each other; mend inherits_from")
        if not isinstance(parent, str) or not isinstance(configurations.get(parent), dict):
            raise ValueError(
                f"{path}: there is no configuration {parent!r:.80}, only {sorted(configurations)}; put the plans.json "
                "there that the network was trained with"
            )
        seen.append(parent)
        chain.append(configurations[parent])
        parent = chain[-1].get("inherits_from")
    resolved: dict[str, Any] = {}
    for configuration in reversed(chain):
        resolved.update(configuration)
    return resolved


def _checked_configuration(content: dict[str, Any], num_channels: int, where: str) -> dict[str, Any]:
    if content.get("previous_stage") is not None:
        raise ValueError(
            f"{where}: the second stage of a cascade, which takes the labels of {content['previous_stage']!r:.80} as "
            "further input; cascades are not supported: give the folder of 3d_fullres, 3d_lowres or 2d"
        )
    fields = {
        "preprocessor_name": one_of(PREPROCESSORS),
        "patch_size": list_of(whole_number(1, 4096), 2, 3),
        "spacing": list_of(number(0), 2, 3),
        "normalization_schemes": list_of(one_of(NORMALIZATIONS), num_channels),
        "use_mask_for_norm": list_of(flag(), num_channels),
    }
    for purpose in ("data", "seg", "probabilities"):
        fields[f"resampling_fn_{purpose}"] = one_of(RESAMPLINGS)
        fields[f"resampling_fn_{purpose}_kwargs"] = _OBJECT
    checked = pick(content, fields, where)
    for purpose in ("data", "seg", "probabilities"):
        key = f"resampling_fn_{purpose}_kwargs"
        allowed = _RESAMPLING_ARGUMENTS[checked[f"resampling_fn_{purpose}"]]
        checked[key] = pick(checked[key], allowed, f"{where}.{key}", closed=True)
    dimensions = len(checked["patch_size"])
    voxels = 1
    for extent in checked["patch_size"]:
        voxels *= extent
    if len(checked["spacing"]) != dimensions or voxels > _MAX_PATCH_VOXELS:
        raise ValueError(
            f"{where}: 'patch_size' {checked['patch_size']} and 'spacing' {checked['spacing']} must have as many axes "
            f"as each other and at most {_MAX_PATCH_VOXELS} voxels; fetch the file again"
        )
    architecture = content["architecture"] if "architecture" in content else _old_architecture(content, where)
    checked["architecture"] = checked_architecture(architecture, dimensions, f"{where}.architecture")
    return checked


def _old_architecture(content: dict[str, Any], where: str) -> Any:
    """The architecture of a plan from before version 2.2, as nnU-Net itself translates it."""
    from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager

    axis = list_of(whole_number(1, 15), len(content["patch_size"]))
    counts = list_of(whole_number(1, 32), *_STAGE_COUNTS)
    fields = {
        "UNet_class_name": one_of(_UNET_CLASSES),
        "UNet_base_num_features": whole_number(1, 4096),
        "unet_max_num_features": whole_number(1, 4096),
        "n_conv_per_stage_encoder": counts,
        "n_conv_per_stage_decoder": counts,
        "num_pool_per_axis": list_of(whole_number(0, 12), 2, 3),
        "pool_op_kernel_sizes": list_of(axis, *_STAGE_COUNTS),
        "conv_kernel_sizes": list_of(axis, *_STAGE_COUNTS),
        "patch_size": list_of(whole_number(1, 4096), 2, 3),
    }
    old = copy.deepcopy(pick(content, fields, where))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Detected old nnU-Net plans format", UserWarning)
        return ConfigurationManager(old).configuration["architecture"]
