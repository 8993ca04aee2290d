"""The network that a plan describes: checked entry by entry, then built from classes that are named here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rogseg.models.checkpoints import refuse_other_weights
from rogseg.systems.nnunet.allowed_names import CONVOLUTIONS, IMPORTED_ARGUMENTS, NETWORKS, NONLINEARITIES, NORMS
from rogseg.systems.nnunet.fields import Field, flag, list_of, nothing, number, one_of, pick, whole_number

__all__ = ["build_network", "checked_architecture"]

_STAGES = whole_number(2, 12)
_FEATURES = whole_number(1, 4096)
_REPEATS = whole_number(1, 32)
_ENCODER_REPEATS = {"PlainConvUNet": "n_conv_per_stage", "ResidualEncoderUNet": "n_blocks_per_stage"}


def checked_architecture(content: Any, dimensions: int, where: str) -> dict[str, Any]:
    """The entry ``architecture`` of a configuration, every name and every number of it allowed.

    Args:
        content: the entry.
        dimensions: 2 or 3, spatial axes of the configuration's patch.
        where: file and place, for messages.

    Raises:
        ValueError: an entry is missing, unknown or not allowed.
    """
    outer = pick(
        content,
        {
            "network_class_name": one_of(NETWORKS),
            "arch_kwargs": Field(lambda value: isinstance(value, dict), "an object"),
            "_kw_requires_import": Field(
                lambda value: isinstance(value, list) and sorted(map(str, value)) == sorted(IMPORTED_ARGUMENTS),
                f"the list {', '.join(IMPORTED_ARGUMENTS)}",
            ),
        },
        where,
        closed=True,
    )
    where = f"{where}.arch_kwargs"
    arguments = outer["arch_kwargs"]
    stages = pick(arguments, {"n_stages": _STAGES}, where)["n_stages"]
    kind = NETWORKS[outer["network_class_name"]]
    axis = list_of(whole_number(1, 15), dimensions)
    fields = {
        "n_stages": _STAGES,
        "features_per_stage": list_of(_FEATURES, stages),
        "conv_op": one_of([CONVOLUTIONS[dimensions]]),
        "kernel_sizes": list_of(axis, stages),
        "strides": list_of(axis, stages),
        _ENCODER_REPEATS[kind]: list_of(_REPEATS, stages),
        "n_conv_per_stage_decoder": list_of(_REPEATS, stages - 1),
        "conv_bias": flag(),
        "norm_op": one_of([NORMS[dimensions]]),
        "norm_op_kwargs": _object({"eps": number(0), "affine": flag()}),
        "dropout_op": nothing(),
        "dropout_op_kwargs": nothing(),
        "nonlin": one_of(NONLINEARITIES),
        "nonlin_kwargs": _object({"inplace": flag().optional(), "negative_slope": number(0).optional()}),
    }
    if kind == "PlainConvUNet":
        fields["nonlin_first"] = flag().optional()
    else:
        fields["stem_channels"] = _FEATURES.optional()
    return {**outer, "arch_kwargs": pick(arguments, fields, where, closed=True)}


def build_network(
    architecture: Mapping[str, Any], input_channels: int, heads: int, weights: Mapping[str, Tensor], source: Path
) -> nn.Module:
    """Build a checked architecture around weights, in evaluation mode and without gradients for the weights.

    The network is first built without memory, so that a plan cannot ask for more of it than its weights fill.

    Raises:
        ValueError: the weights are those of another network.
    """
    from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet

    network_class = {"PlainConvUNet": PlainConvUNet, "ResidualEncoderUNet": ResidualEncoderUNet}[
        NETWORKS[architecture["network_class_name"]]
    ]
    given = architecture["arch_kwargs"]
    three_dimensional = given["conv_op"] == CONVOLUTIONS[3]
    classes = {
        "conv_op": nn.Conv3d if three_dimensional else nn.Conv2d,
        "norm_op": nn.InstanceNorm3d if three_dimensional else nn.InstanceNorm2d,
        "nonlin": nn.LeakyReLU,
    }
    with torch.device("meta"):
        network: nn.Module = network_class(
            input_channels=input_channels, num_classes=heads, **{**given, **classes}, deep_supervision=False
        )
    refuse_other_weights(
        network.state_dict(),
        weights,
        f"{source}: weights of another network than plans.json",
        "put the plans.json and dataset.json beside it that it was trained with",
    )
    network.load_state_dict(dict(weights), assign=True)
    return network.eval().requires_grad_(False)


def _object(fields: Mapping[str, Field]) -> Field:
    def accepts(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and set(value) <= set(fields)
            and all(field.accepts(value[key]) if key in value else not field.required for key, field in fields.items())
        )

    described = ", ".join(f"{key}: {field.expected}" for key, field in fields.items())
    return Field(accepts, f"an object with {described}")
