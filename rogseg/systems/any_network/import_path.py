"""What a user names by its import path, such as ``monai.networks.nets.UNet``; never called with a name from a file."""

import importlib
import inspect
from pathlib import Path
from typing import Any

from rogseg.raised_in import foreign_fault

__all__ = ["given_by", "imported", "source_of"]

# Packages that come with an extra of ours.
EXTRAS = {"monai": "monai", "onnx": "onnx", "onnxruntime": "onnx"}


def imported(path: str, where: str) -> Any:
    """What a module has under a name.

    Args:
        path: ``package.module.name``. Importing a module runs it: the path must come from the user.
        where: the key that holds it, for messages.

    Raises:
        ValueError: it is no such path, the module is not there, or it has no such name.
    """
    module_name, _, name = path.rpartition(".")
    if not module_name or not all(part.isidentifier() for part in path.split(".")):
        raise ValueError(f"{where} is {path!r}; give an import path, such as monai.networks.nets.UNet")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing in EXTRAS:
            raise ValueError(
                f"{where} is {path!r}, and {missing} is not installed: pip install 'rogseg[{EXTRAS[missing]}]'"
            ) from error
        raise ValueError(
            f"{where} is {path!r}, and there is no module {error.name!r} on Python's path; install it, or put its "
            "folder there (PYTHONPATH=. adds the one you are in)"
        ) from error
    except ImportError as error:
        raise ValueError(f"{where} is {path!r}, which cannot be imported: {error}; mend it or install that") from error
    if not hasattr(module, name):
        raise ValueError(f"{where} is {path!r}, and module {module_name} has no {name!r}")
    return getattr(module, name)


def given_by(path: str, argument: Any, where: str) -> Any:
    """What a function that a user names gives; an error in the user's own code is raised as it is.

    Raises:
        ValueError: as `imported`, or a library's function does not take the argument.
    """
    function = imported(path, where)
    try:
        return function(argument)
    except Exception as error:
        if foreign_fault(error) is not None:
            raise
        raise ValueError(
            f"{where} is {path!r}, which does not take a {type(argument).__name__} ({type(error).__name__}: {error})"
        ) from error


def source_of(code: Any) -> Path | None:
    """The file that a class or function is written in; None where it was made in a session, or is no Python."""
    try:
        source = inspect.getsourcefile(inspect.unwrap(code))
    except TypeError:
        return None
    return Path(source) if source is not None and Path(source).is_file() else None
