"""Files of weights: read without running code from them, and written again in their own form with other weights."""

import copy
import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from rogseg.models.checkpoints import assign_weights
from rogseg.models.weight_files import open_weights, tensors_and_plain_data
from rogseg.storage import write_bytes_atomic
from rogseg.systems.nnunet.checkpoint import CHECKPOINT_GLOBALS

__all__ = ["WeightFile"]

REMEDY = "save the state dict (torch.save(network.state_dict(), file), or safetensors)"


@dataclasses.dataclass(frozen=True)
class WeightFile:
    """A state dict and the file that it came from.

    Args:
        path: a ``.safetensors`` file, or what ``torch.save`` wrote.
        content: what the file holds besides.
        key: under which the state dict lies in it; None where it is the file's whole content.
        prefix: of the names that belong to the network, such as ``net.`` in the file of a training framework.
    """

    path: Path
    content: Any
    key: str | None
    prefix: str

    @classmethod
    def read(cls, path: str | Path, key: str | None = None, prefix: str = "") -> "WeightFile":
        """Read a file; it may hold tensors, numbers and texts alone.

        Args:
            path: the file.
            key: of the state dict in the file; None takes the whole file, or the one entry that holds weights.
            prefix: as above.

        Raises:
            ValueError: it cannot be read, asks for more than that, or holds no state dict under the key.
        """
        path = Path(path)
        open_weights(path).close()
        try:
            with torch.serialization.safe_globals(CHECKPOINT_GLOBALS):
                content = tensors_and_plain_data(path)
        except ValueError as error:
            raise ValueError(f"{error}; {REMEDY}, or evaluate an exported program with type='TorchProgram'") from error
        if path.suffix == ".safetensors":
            content = content["state_dict"]
        if key is None and not _is_state(content):
            inside = [name for name, value in content.items() if _is_state(value)] if isinstance(content, dict) else []
            if len(inside) != 1:
                raise ValueError(
                    f"{path}: weights lie under {inside or 'no key'}; name one with weights_key, or {REMEDY}"
                )
            key = inside[0]
        if key is not None and not (isinstance(content, dict) and _is_state(content.get(key))):
            keys = list(map(str, content))[:10] if isinstance(content, dict) else []
            raise ValueError(f"{path}: holds no state dict under weights_key {key!r}; its keys are {keys}")
        found = cls(path, content, key, prefix)
        if not found.state():
            raise ValueError(f"{path}: no weight begins with {prefix!r}; its first are {list(found._all())[:3]}")
        return found

    def state(self) -> dict[str, Tensor]:
        """The network's weights by their names in it."""
        return {
            name.removeprefix(self.prefix): value for name, value in self._all().items() if name.startswith(self.prefix)
        }

    def assign_to(self, network: nn.Module) -> None:
        """Put the weights into a network.

        Raises:
            ValueError: names or shapes are those of another network, or a value is not finite.
        """
        assign_weights(network, self.state(), self.path)

    def write(self, path: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Write the file again with other weights of the same network; all else in it stays.

        An optimiser's state in it is that of the old weights.

        Returns:
            The network's weights as they were written, each in the precision that it has in the file.

        Raises:
            ValueError: the weights are those of another network.
        """
        old = {name.removeprefix(self.prefix): name for name in self._all() if name.startswith(self.prefix)}
        if old.keys() != state.keys():  # names of a DDP wrapper are kept as they were
            old = {name.removeprefix("module."): stored for name, stored in old.items()}
        shapes = {name: self._all()[stored].shape for name, stored in old.items() if name in state}
        if {name: value.shape for name, value in state.items()} != shapes:
            raise ValueError(f"{path}: the new weights are not those of the network of {self.path}")
        new, written = dict(self._all()), {}
        for name, value in state.items():
            written[name] = value.detach().cpu().to(new[old[name]].dtype).clone().contiguous()
            new[old[name]] = written[name]
        if path.suffix == ".safetensors":
            write_bytes_atomic(path, save(new))
            return written
        content: Any = new
        if self.key is not None:
            content = copy.copy(self.content)
            content[self.key] = new
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_bytes_atomic(path, buffer.getvalue())
        return written

    def _all(self) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.content if self.key is None else self.content[self.key]
        return state


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and isinstance(entry, Tensor) for name, entry in value.items())
        and all(not entry.is_meta and entry.layout is torch.strided for entry in value.values())
    )
