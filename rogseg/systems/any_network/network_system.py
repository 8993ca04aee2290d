"""A network of anybody's with what it is given, how it is slid over volumes and what it gives."""

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case
from rogseg.foreign import decode
from rogseg.preprocessing import Volume
from rogseg.storage import RawCase
from rogseg.systems.any_network.import_path import source_of
from rogseg.systems.any_network.intensity import called_by
from rogseg.systems.any_network.outputs import Outputs
from rogseg.systems.any_network.preparation import Inputs, Preparation
from rogseg.systems.any_network.raw_adversary import raw_adversary
from rogseg.systems.any_network.window_logits import WindowLogits
from rogseg.systems.any_network.windows import Windows
from rogseg.systems.base import SystemIdentity
from rogseg.systems.exact_arithmetic import compute_exactly
from rogseg.systems.label_classes import LabelledSystem

__all__ = ["NetworkSystem", "Settings", "installed"]

Settings = Mapping[str, Any]
"""JSON-like data for `Inputs`, `Windows` or `Outputs`: what stands under ``inputs=dict(...)`` of a config."""


class NetworkSystem(LabelledSystem):
    """A network over windows made a system; a subclass says where the network comes from.

    Args:
        kind: of the system, for records.
        name: what a person calls it.
        network: (B, C, d, h, w) -> what `Outputs` reads logits from.
        inputs: as `Inputs`.
        windows: as `Windows`.
        outputs: as `Outputs`.
        device: where windows are evaluated.
        digest: SHA-256 of the network; that of the code of its `Function` joins it.
        options: further facts that decide its outputs; JSON data.
        versions: of the packages that compute them.

    Raises:
        ValueError: a setting is unknown, missing or makes no sense.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        network: Callable[[Tensor], Any],
        inputs: Settings,
        windows: Settings,
        outputs: Settings,
        device: torch.device | str,
        digest: str,
        options: Mapping[str, Any],
        versions: Mapping[str, str],
    ) -> None:
        self.device: torch.device = torch.device(device)
        compute_exactly(self.device)
        given = decode(dict(inputs), Inputs, "system.inputs")
        slid = decode(dict(windows), Windows, "system.windows")
        self.window_size, self.multiple_of = slid.size, slid.multiple_of
        read = decode(dict(outputs), Outputs, "system.outputs")
        self.window_logits = WindowLogits(network, name, read)
        """The network on windows (B, C, d, h, w), its outputs made raw logits (B, L, d, h, w); what training calls."""
        self.label_classes = self.window_logits.classes
        self.classes, self.channels = self.label_classes.classes, given.described
        self.reads_axes_as_stored = given.orientation is None
        self._preparation = Preparation(given, self.label_classes)
        if self.window_logits.outputs.probabilities and slid.size is not None:
            # Whoever slides such a network blends probabilities, and their logarithms have another mean.
            slid_network, after_blend = self.window_logits.probabilities, self.window_logits.logits_of
            self._logits = slid.over_volumes(slid_network, self.device, after_blend)
        else:
            self._logits = slid.over_volumes(self.window_logits, self.device)
        settings = {
            "inputs": dataclasses.asdict(given),
            "windows": dataclasses.asdict(slid),
            "outputs": dataclasses.asdict(self.window_logits.outputs),
        }
        # As it is read from a record, where tuples are lists.
        facts = json.loads(json.dumps({"differentiable": self.differentiable, **settings, **options}))
        self.identity = SystemIdentity(kind, name, _with_code(digest, inputs), facts, versions)

    def prepare(self, raw: RawCase) -> Case:
        """Bring a raw case to the network's grid and units: axes, then spacing, then intensities."""
        return self._preparation.case(raw)

    def read_targets(self, raw: RawCase, grid: Volume) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
        """Class indices in the raw grid; every voxel counts."""
        return self._preparation.targets(raw, grid)

    def to_raw(self, logits: Tensor, case: Case) -> NDArray[np.uint8]:
        """Class indices (D, H, W) in the raw grid."""
        return self._preparation.raw_labels(logits, case.properties)

    def raw_adversary(self, raw: RawCase, case: Case, adversarial: Tensor) -> Volume:
        """The raw image, moved from inside of the box as the prepared case was moved."""
        return raw_adversary(raw, case, adversarial, self._preparation.steps)


def _with_code(digest: str, inputs: Settings) -> str:
    """The digest of a network and of the user's functions that its inputs go through."""
    sources = sorted({path for code in called_by(inputs) if (path := source_of(code)) is not None})
    if not sources:
        return digest
    content = hashlib.sha256(digest.encode())
    for source in sources:
        content.update(source.read_bytes())
    return content.hexdigest()


def installed(packages: Sequence[str], extra: str, needed_by: str | Path) -> dict[str, str]:
    """Versions of packages.

    Raises:
        ValueError: one is missing; the message says which extra brings it.
    """
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError as error:
            raise ValueError(
                f"{needed_by}: needs {package}, which is not installed: pip install 'rogseg[{extra}]'"
            ) from error
    return versions
