"""load_config: MMEngine's configs, guarded, so that what is misspelt fails before anything runs."""

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from rogseg.engine.config.check import check_components
from rogseg.engine.config.keys import TOP_LEVEL_KEYS, nearest
from rogseg.engine.config.task import attach_task, resolve_task_values
from rogseg.shipped_configs import find_config

__all__ = ["load_config", "parse_overrides"]


def load_config(
    path: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    task_dir: str | Path | None = None,
) -> Config:
    """Read a config, apply overrides, fill in the task and check every key.

    Args:
        path: Python or JSON config, or the name of one that comes with rogseg.
        overrides: dotted keys and their values, or ``key=value`` strings as they come from the command line.
        task_dir: folder of a stored task; its plan is taken where the config has none.

    Returns:
        The config; strings ``task.<attribute>`` are replaced, and ``task`` is a plan as JSON data.

    Raises:
        ValueError: the file cannot be read, two bases share a key, or a key, a component's name or one of its
            arguments is unknown; the message names the file, the key and the nearest known one.
    """
    path = find_config(path)
    config = _read(path)
    if overrides is not None:
        merged = dict(overrides) if isinstance(overrides, Mapping) else parse_overrides(overrides)
        for key in merged:
            _check_key(key.partition(".")[0], "--cfg-options")
        try:
            config.merge_from_dict(merged)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"--cfg-options: {merged} does not fit {path}: {error}") from error
    for key in config:
        _check_key(key, str(path))
    attach_task(config, task_dir)
    resolve_task_values(config)
    for key, value in config.items():
        if key != "task":
            check_components(value, key, str(path))
    return config


def parse_overrides(options: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` strings; values are Python literals where they can be, and else strings.

    Raises:
        ValueError: an entry has no ``=``.
    """
    parsed = {}
    for option in options:
        key, separator, text = option.partition("=")
        if not (separator and key):
            raise ValueError(f"--cfg-options: {option!r} must be KEY=VALUE, for instance train_cfg.max_epochs=10")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = {"true": True, "false": False, "none": None}.get(text.lower(), text)
        parsed[key] = ConfigDict(value) if isinstance(value, dict) else value
    return parsed


def _read(path: Path) -> Config:
    try:
        return Config.fromfile(str(path))
    except KeyError as error:
        if "Duplicate key" in str(error):
            raise ValueError(
                f"{path}: two files of _base_ have the same key ({error.args[0]}): take one of them only, "
                "or override the key in this file"
            ) from error
        raise ValueError(f"{path}: {error}") from error
    except (FileNotFoundError, SyntaxError, NameError, AttributeError, TypeError, OSError) as error:
        raise ValueError(f"{path}: not a readable config: {error}") from error


def _check_key(key: str, where: str) -> None:
    if key not in TOP_LEVEL_KEYS:
        raise ValueError(f"{where}: unknown key {key!r}: {nearest(key, TOP_LEVEL_KEYS)}")
