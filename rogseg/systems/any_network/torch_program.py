"""TorchScript and torch.export files as systems: programs of whoever made them."""

import hashlib
import importlib.metadata
import warnings
import zipfile
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from rogseg.foreign import open_regular
from rogseg.models.weight_files import refuse_damaged_archive
from rogseg.registry import SYSTEMS
from rogseg.systems.any_network.network_system import NetworkSystem, Settings

__all__ = ["TorchProgram", "program_form"]

Form = Literal["TorchScript", "torch.export"]
# What the readers of programs end in.
DAMAGE = (RuntimeError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError)


@SYSTEMS.register_module()
class TorchProgram(NetworkSystem):
    """A network as ``torch.jit.save`` or ``torch.export.save`` wrote it.

    Such a file is a program: what it does when it is loaded and called is up to whoever made it. So it is loaded only
    where ``trust`` says so. An exported program takes windows of the shapes that it was exported for.

    Args:
        file: the program.
        inputs: see `TorchModule`.
        windows: see `TorchModule`.
        outputs: see `TorchModule`.
        trust: that whoever made the file may run a program here.
        device: where windows are evaluated.
        name: what a person calls it; None takes the file's name.

    Raises:
        ValueError: it is no such file, is damaged, or nobody trusts it.
    """

    def __init__(
        self,
        file: str | Path,
        inputs: Settings,
        windows: Settings,
        outputs: Settings,
        trust: bool = False,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        path = Path(file)
        form = program_form(path)
        if not trust:
            raise ValueError(
                f"{path}: a {form} file is a program of whoever made it, and was not loaded; if you trust its maker, "
                "say so with --trust, or trust=True in system"
            )
        refuse_damaged_archive(path, compressed=True)
        with open_regular(path) as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        super().__init__(
            kind=form,
            name=name or path.stem,
            network=_load(path, form, device),
            inputs=inputs,
            windows=windows,
            outputs=outputs,
            device=device,
            digest=digest,
            options={},
            versions={"torch": importlib.metadata.version("torch")},
        )


def program_form(path: Path) -> Form:
    """Which kind of program a file is, without loading it.

    Raises:
        ValueError: it is none, or cannot be opened.
    """
    open_regular(path.absolute(), "name the program's file").close()
    names: list[str] = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    if any(name.endswith("/constants.pkl") for name in names):
        return "TorchScript"
    if any("/models/" in name or name.endswith("serialized_exported_program.json") for name in names):
        return "torch.export"
    raise ValueError(
        f"{path}: neither a TorchScript nor a torch.export file; a state dict is evaluated with "
        "system = dict(type='TorchModule')"
    )


def _load(path: Path, form: Form, device: torch.device | str) -> nn.Module:
    try:
        if form == "TorchScript":
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=DeprecationWarning)  # torch.export cannot read these files
                program: nn.Module = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
        else:
            program = torch.export.load(path).module().to(device)
            program.training = False  # it is what it was exported as, and refuses eval()
    except DAMAGE as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ValueError(f"{path}: this {form} file cannot be loaded ({reason}); export it again") from error
    if form == "TorchScript":
        program.eval()
    for parameter in program.parameters():
        parameter.requires_grad_(False)
    return program
