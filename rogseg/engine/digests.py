"""Digests of what an evaluation depends on, and the versions and machine beside them."""

import hashlib
import importlib.metadata
import json
import platform
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from rogseg.engine.own_imports import with_imports
from rogseg.registry import own_sources

__all__ = ["command_line", "digest_of_file", "digest_of_json", "environment", "own_code", "processor"]

PACKAGES = ("rogseg", "torch", "mmengine", "numpy", "monai")


def digest_of_file(path: str | Path) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_json(content: Any) -> str:
    """SHA-256 of JSON data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def own_code(*used: Any) -> dict[str, str]:
    """What records hold of components of the user's own, so that they do not outlive a change; empty of rogseg's.

    Args:
        used: configs that name components.

    Returns:
        ``own_code``: a digest of their files and of those that these import, since they have no version.
    """
    own = [digest_of_file(path) for path in sorted(with_imports(own_sources(set(_texts(used)))))]
    return {"own_code": digest_of_json(own)} if own else {}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def environment(device: torch.device | str) -> dict[str, str]:
    """Versions, machine, and the command that makes the records again."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed as a package"
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    machine = {"python": platform.python_version(), "device": f"{device.type}: {name}"}
    return {**versions, **machine, "command": command_line()}


def command_line() -> str:
    """The command that this process was started by, as a shell takes it."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *sys.argv[1:]])


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
