"""Any torch module as a system: by import path, arguments and a file of weights, or the module itself."""

import hashlib
import importlib.metadata
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from rogseg.inference.one_answer import in_evaluation_mode
from rogseg.registry import SYSTEMS
from rogseg.storage import atomic_directory, write_bytes_atomic
from rogseg.systems.any_network.import_path import imported, source_of
from rogseg.systems.any_network.network_system import NetworkSystem, Settings
from rogseg.systems.any_network.weights import WeightFile
from rogseg.systems.any_network.window_logits import TrainedWindows
from rogseg.systems.trainable import TrainableNetwork

__all__ = ["TorchModule", "build_module", "digest_of_module"]

# What a constructor raises that is given other arguments than it takes.
ARGUMENT_ERRORS = (TypeError, ValueError, RuntimeError, KeyError, IndexError, AttributeError, AssertionError)


@SYSTEMS.register_module()
class TorchModule(NetworkSystem):
    """A network of one's own, a network of MONAI, or any other, in this process.

    Args:
        network: import path of its class or of a function that makes it, such as ``monai.networks.nets.UNet``, which
            runs; or a module that is there already. It is not copied: it is put into evaluation mode, on the device,
            and its weights stay without gradients (``requires_grad``) until whoever gave it changes that.
        inputs: channels, intensity, and where they matter spacing, orientation, interpolation: see `Inputs`.
        windows: size, overlap, blend, sigma_scale, batch, multiple_of: see `Windows`.
        outputs: classes, activation, probabilities, key: see `Outputs`.
        arguments: that the network is made with.
        weights: a ``.safetensors`` file, or what ``torch.save`` wrote of a state dict; code in it never runs. None
            where the module brings its own.
        weights_key: under which key of the file the state dict lies.
        weights_prefix: of the names that belong to the network.
        device: where windows are evaluated; a GPU is set to `compute_exactly`.
        name: what a person calls it; None takes that of the file or of the class.

    Raises:
        ValueError: something of it is missing or does not fit; the message names the key or file.
    """

    def __init__(
        self,
        network: str | nn.Module | Callable[..., nn.Module],
        inputs: Settings,
        windows: Settings,
        outputs: Settings,
        arguments: Mapping[str, Any] | None = None,
        weights: str | Path | None = None,
        weights_key: str | None = None,
        weights_prefix: str = "",
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        module, makers = build_module(network, arguments), list[Callable[..., Any]]()
        if not isinstance(network, nn.Module):
            makers.append(imported(network, "system.network") if isinstance(network, str) else network)
        self._file = None if weights is None else WeightFile.read(weights, weights_key, weights_prefix)
        if self._file is not None:
            self._file.assign_to(module)
            self.location, self.weights_file = self._file.path.parent, self._file.path
        elif isinstance(network, str):
            raise ValueError("system.weights is missing: name the file of the network's state dict")
        self.networks: tuple[nn.Module] = (in_evaluation_mode(module).requires_grad_(False).to(device),)
        """The module itself, whose weights a training may change."""
        called = network if isinstance(network, str) else type(module).__qualname__
        super().__init__(
            kind="torch",
            name=name or (called.rpartition(".")[2] if self._file is None else self._file.path.stem),
            network=module,
            inputs=inputs,
            windows=windows,
            outputs=outputs,
            device=device,
            digest=digest_of_module(module, *makers),
            options={"network": called, "arguments": {k: _without_addresses(v) for k, v in (arguments or {}).items()}},
            versions=_versions(module),
        )

    @property
    def trainable(self) -> tuple[TrainableNetwork, ...]:
        """The module."""
        return (TrainableNetwork("network", TrainedWindows(self.networks[0], self.window_logits)),)

    def write_back(self, out: Path) -> None:
        """Write the weights that the module has now, in the form of the file that they came from.

        Where that file keeps half precision, the module has them afterwards as they were rounded.

        Args:
            out: a folder that does not exist yet; the file in it is named as the old one, or ``weights.safetensors``
                where there was none.

        Raises:
            ValueError: ``out`` exists.
        """
        state = self.networks[0].state_dict()
        file = "weights.safetensors" if self._file is None else self._file.path.name
        with atomic_directory(out, replace=False) as partial:
            if self._file is None:
                tensors = {key: value.detach().cpu().clone().contiguous() for key, value in state.items()}
                write_bytes_atomic(partial / file, save(tensors))
            else:
                self.networks[0].load_state_dict(self._file.write(partial / file, state))


def build_module(network: str | nn.Module | Callable[..., nn.Module], arguments: Mapping[str, Any] | None) -> nn.Module:
    """Make a network.

    Raises:
        ValueError: it cannot be found, does not take the arguments, or is no torch module.
    """
    if isinstance(network, nn.Module):
        if arguments:
            raise ValueError(
                "system.arguments are for a network that is made from its class; this one is there already"
            )
        return network
    made = imported(network, "system.network") if isinstance(network, str) else network
    if not callable(made):
        raise ValueError(f"system.network is {network!r}, and that is no class or function but {type(made).__name__}")
    try:
        module = made(**(arguments or {}))
    except ARGUMENT_ERRORS as error:
        raise ValueError(
            f"system.network: {network} does not take system.arguments ({' '.join(str(error).split())[:200]})"
        ) from error
    if not isinstance(module, nn.Module):
        raise ValueError(f"system.network: {network} gives a {type(module).__name__}, which is no torch module")
    return module


def digest_of_module(module: nn.Module, *makers: Callable[..., Any]) -> str:
    """SHA-256 over all that a module does: weights, layers and their settings, and the code that it is written in.

    The code is that of the files of its classes, but for PyTorch's own, and of what it was made by.

    Args:
        module: the network.
        makers: functions or classes that decide what it is.
    """
    content = hashlib.sha256(type(module).__qualname__.encode())
    content.update(_without_addresses(module).encode())
    own = {type(part) for part in module.modules() if not type(part).__module__.startswith("torch.")}
    for source in sorted({path for code in (*own, *makers) if (path := source_of(code)) is not None}):
        content.update(source.read_bytes())
    for name, value in sorted(module.state_dict().items()):
        content.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        content.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return content.hexdigest()


def _without_addresses(value: Any) -> str:
    """As Python writes it, without the places in memory, which differ from run to run."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _versions(module: nn.Module) -> dict[str, str]:
    package = type(module).__module__.partition(".")[0]
    versions = {"torch": importlib.metadata.version("torch")}
    try:
        return {**versions, package: importlib.metadata.version(package)}
    except importlib.metadata.PackageNotFoundError:  # a file of one's own
        return versions
