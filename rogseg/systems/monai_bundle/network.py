"""The network of a bundle: an exact class name of MONAI, plain arguments, weights that fill it."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from rogseg.models.checkpoints import assign_weights
from rogseg.systems.any_network.torch_module import ARGUMENT_ERRORS
from rogseg.systems.any_network.weights import WeightFile
from rogseg.systems.monai_bundle.allowed_names import NETWORKS, WITHOUT_META
from rogseg.systems.monai_bundle.config_file import ABSENT, BundleConfig

__all__ = ["bundle_network"]

ENTRY = "network_def"
LARGEST = 4096  # of any number among the arguments; channels grow with powers of two of the first ones
MOST_LAYERS = 64  # that one number or list may ask for, where the weights are of no more tensors


def bundle_network(config: BundleConfig, weights: WeightFile) -> nn.Module:
    """Build ``network_def`` and put the weights in.

    Without trust only the classes of `NETWORKS` are built, with plain data as arguments; they are first made without
    memory, so that a config cannot ask for more of it than the weights fill. With trust MONAI makes what it says.

    Raises:
        ValueError: the class or an argument is not allowed, or the weights are those of another network.
    """
    if config.trust:
        network = config.built(ENTRY)
        if not isinstance(network, nn.Module):
            raise ValueError(f"{config.path}: {ENTRY} gives a {type(network).__name__}, which is no torch module")
    else:
        name, arguments = _checked(config)
        _refuse_many_layers(arguments, weights, config.path)
        if name not in WITHOUT_META:
            with torch.device("meta"):
                outline = _made(name, arguments, config.path)
            _refuse_other_weights(outline, weights)
        network = _made(name, arguments, config.path)
    assign_weights(network, weights.state(), weights.path)
    return network


def _checked(config: BundleConfig) -> tuple[str, dict[str, Any]]:
    definition = config.raw(ENTRY)
    if definition is ABSENT or not isinstance(definition, dict):
        raise ValueError(f"{config.path}: has no {ENTRY}, an object with _target_; it is not the config of a network")
    target = definition.get("_target_")
    if not isinstance(target, str) or target not in NETWORKS:
        known = ", ".join(sorted(set(NETWORKS.values())))
        raise ValueError(
            f"{config.path}: {ENTRY}#_target_ is {str(target)[:80]!r}, which is not on the list of networks that are "
            f"built by name ({known}), and nothing is imported by a name from a file; evaluate it as a TorchModule, or "
            "if you trust whoever made the bundle, pass --trust"
        )
    arguments = config.value(ENTRY)
    strangers = sorted(key for key in arguments if key.startswith("_") and key not in ("_target_", "_desc_"))
    if strangers:
        raise ValueError(f"{config.path}: {ENTRY}#{strangers[0]} is not accepted; take it out")
    arguments = {key: value for key, value in arguments.items() if not key.startswith("_")}
    _check_plain(arguments, ENTRY, config.path)
    name = NETWORKS[target]
    if name == "SwinUNETR":
        arguments.pop("img_size", None)  # older versions compared it with the input; it decides nothing
    return name, arguments


def _check_plain(value: Any, where: str, path: Path) -> None:
    if isinstance(value, dict):
        if "_target_" in value:
            raise ValueError(
                f"{path}: {where} is built from {str(value['_target_'])[:80]!r}; only plain values are accepted"
            )
        for key, entry in value.items():
            _check_plain(entry, f"{where}#{key}", path)
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            _check_plain(entry, f"{where}#{place}", path)
    elif isinstance(value, int | float) and abs(value) > LARGEST:
        raise ValueError(f"{path}: {where} is {value}, and no network has a number above {LARGEST}")


def _refuse_many_layers(arguments: dict[str, Any], weights: WeightFile, path: Path) -> None:
    """A number is a size of some weight, or counts layers; layers without weights would be made for minutes."""
    state = weights.state().values()
    most = max(MOST_LAYERS, len(state), *(size for value in state for size in value.shape))
    for key, value in arguments.items():
        asked = len(value) if isinstance(value, list) else value
        if isinstance(asked, int) and asked > most:
            raise ValueError(
                f"{path}: {ENTRY}#{key} asks for {asked}, and the weights have no more than {most} of anything: put "
                "the weights there that the bundle was made with"
            )


def _made(name: str, arguments: dict[str, Any], path: Path) -> nn.Module:
    from monai.networks import nets

    try:
        network: nn.Module = getattr(nets, name)(**arguments)
    except ARGUMENT_ERRORS as error:
        raise ValueError(
            f"{path}: {ENTRY}: MONAI's {name} does not take these arguments ({' '.join(str(error).split())[:200]})"
        ) from error
    return network


def _refuse_other_weights(outline: nn.Module, weights: WeightFile) -> None:
    """Before memory is taken for a network that these weights do not fill."""
    expected = {name: value.shape for name, value in outline.state_dict().items()}
    state = {name.removeprefix("module."): value.shape for name, value in weights.state().items()}
    if expected != state:
        odd = sorted(name for name in expected.keys() | state.keys() if expected.get(name) != state.get(name))
        raise ValueError(
            f"{weights.path}: weights of another network than {ENTRY} describes; {', '.join(odd[:3])} differ "
            f"({len(odd)} in all): put the weights there that the bundle was made with"
        )
