"""From a file to a config: Python configs are code that their user trusts, JSON configs are data and run nothing.

MMEngine reads JSON, too, but there a file can name modules to import and Python files as its bases, and its YAML reader
builds any object that a file asks for. So JSON is read here, YAML is not read at all, and MMEngine is left with the
Python configs, once every JSON file that they build on has been looked at.
"""

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.config.config import ConfigParsingError

from rogseg.engine.config.keys import TOP_LEVEL_KEYS, ConfigKeyError, nearest
from rogseg.engine.config.named_bases import bases_by_path, python_bases
from rogseg.foreign import read_json

__all__ = ["import_custom_modules", "is_json", "read_config"]

BASE = "_base_"
MAX_BYTES = 8 * 2**20  # of a JSON config or plan
MAX_DEPTH = 40  # of a JSON config, which functions that call themselves walk through
# What executing somebody's Python may end in, other than a bug of ours.
PYTHON_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, ConfigParsingError, ImportError, LookupError, NameError, OSError,
    RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip


def read_config(path: Path) -> Config:
    """Read a config with its bases; nothing of it is imported or built yet.

    Raises:
        ValueError: it cannot be read, two bases share a key, or a JSON file asks for code.
    """
    if is_json(path):
        return Config(_json_config(path, _tree_of(path), ()), cfg_text=path.read_text("utf-8-sig"), filename=str(path))
    if path.suffix != ".py":
        raise ValueError(f"{path}: a config is a .py or a .json file, not {path.suffix or 'without a suffix'}")
    try:
        _check_json_bases(path, set())
        # MMEngine takes an import of anything but the standard library for its other style, which has no _base_.
        other_style = "read_base" in path.read_text("utf-8")
        with bases_by_path(path) as readable:
            config = Config.fromfile(
                str(readable), import_custom_modules=False, lazy_import=None if other_style else False
            )
        if readable != path:
            config = Config(config._cfg_dict, cfg_text=config.text, filename=str(path))
    except KeyError as error:
        if "Duplicate key" in str(error):
            raise _shared_key(path, str(error.args[0])) from error
        raise ValueError(f"{path}: not a readable config: there is no {error}") from error
    except _OwnError:
        raise
    except PYTHON_ERRORS as error:
        raise ValueError(f"{path}: not a readable config: {_one_line(error)}") from error
    # Classes that a Python config imports, to give them as a type, are no keys.
    for key in [key for key, value in config.items() if isinstance(value, type)]:
        config.pop(key)
    return config


def is_json(path: Path) -> bool:
    """Whether a file is read as data."""
    return path.suffix == ".json"


def import_custom_modules(config: Config) -> None:
    """Import what ``custom_imports`` names: a package whose import registers components.

    Raises:
        ConfigKeyError: it is no list of names, or one cannot be imported.
    """
    value = config.get("custom_imports")
    if value is None:
        return
    names = value.get("imports") if isinstance(value, Mapping) else value
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ConfigKeyError("custom_imports", f"is {value!r}; write custom_imports = ['my_package']")
    importlib.invalidate_caches()  # the file may have been written a moment ago, by whoever calls
    for name in names:
        try:
            importlib.import_module(name)
        except PYTHON_ERRORS as error:
            raise ConfigKeyError(
                "custom_imports",
                f": {name!r} cannot be imported ({_one_line(error)}); install it, or put the folder that "
                "holds it into the environment variable PYTHONPATH",
            ) from error


class _OwnError(ValueError):
    """A sentence of this module, which already names its file."""


def _json_config(path: Path, tree: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """The content of a JSON config on top of that of its bases."""
    content = _json_content(path)
    if path in above:
        raise _OwnError(f"{path}: is its own base: {' -> '.join(str(step) for step in (*above, path))}")
    merged: dict[str, Any] = {}
    for base in _base_names(content, path):
        file = (path.parent / base).resolve()
        if not (is_json(file) and file.is_relative_to(tree) and not Path(base).is_absolute()):
            raise _OwnError(
                f"{path}: {BASE} is {base!r}; the bases of a JSON config are JSON files below {tree}, named by their "
                "path from here: only a Python config can build on Python"
            )
        entries = _json_config(file, tree, (*above, path))
        if twins := sorted(set(merged) & set(entries)):
            raise _shared_key(path, ", ".join(twins))
        merged |= entries
    config = Config(merged)
    try:
        config.merge_from_dict({key: value for key, value in content.items() if key != BASE})
    except (KeyError, TypeError) as error:
        raise _OwnError(f"{path}: does not fit its bases: {_one_line(error)}") from error
    plain: dict[str, Any] = config.to_dict()
    return plain


def _json_content(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path, "give a config as those in configs/", MAX_BYTES)
    except ValueError as error:
        raise _OwnError(str(error)) from error
    if _is_deeper(content, MAX_DEPTH):
        raise _OwnError(f"{path}: nested too deeply, at most {MAX_DEPTH} levels are read")
    if not isinstance(content, dict):
        raise _OwnError(f"{path}: must hold a JSON object of keys and values")
    if "custom_imports" in content:
        raise _OwnError(f"{path}: custom_imports is a key of Python configs: a JSON file imports nothing")
    for key in content:
        if key not in TOP_LEVEL_KEYS and key != BASE:
            raise _OwnError(f"{path}: unknown key {key!r}: {nearest(key, TOP_LEVEL_KEYS)}")
    return content


def _is_deeper(content: Any, depth: int) -> bool:
    level: list[Any] = [content]
    for _ in range(depth):
        level = [
            entry
            for value in level
            if isinstance(value, dict | list)
            for entry in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(level)


def _base_names(content: Mapping[str, Any], path: Path) -> list[str]:
    names = content.get(BASE, [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _OwnError(f"{path}: {BASE} must be the path of a file or a list of them, got {names!r}")
    return names


def _tree_of(path: Path) -> Path:
    """What the bases of a JSON file may not leave: the folder above its own, as configs/ is above configs/rog/."""
    return path.resolve().parent.parent


def _check_json_bases(path: Path, seen: set[Path], above: tuple[Path, ...] = ()) -> None:
    """Read every JSON file that a Python config builds on, before MMEngine does; none may ask for code."""
    chain = (*above, path.resolve())
    for base in python_bases(path):
        file = (path.parent / base).resolve()
        if file in chain:
            names = " -> ".join(entry.name for entry in (*chain[chain.index(file) :], file))
            raise _OwnError(f"{path}: {BASE} leads back to itself, {names}; take one of these out")
        if file in seen or not file.is_file():
            continue  # a file that is absent is reported by MMEngine
        seen.add(file)
        if is_json(file):
            _json_config(file, _tree_of(file), ())
        elif file.suffix == ".py":
            _check_json_bases(file, seen, chain)
        else:
            raise _OwnError(f"{path}: {BASE} is {base!r}; bases are .py or .json files")


def _shared_key(path: Path, keys: str) -> ValueError:
    return _OwnError(
        f"{path}: two files of {BASE} have the same key ({keys}): take one of them only, or override the key in this "
        "file"
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
