"""load_config: MMEngine's configs, guarded, so that what is misspelt or of a wrong type fails before anything runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rogseg.engine.config.check import check_components, check_top_level
from rogseg.engine.config.key_paths import key_hint
from rogseg.engine.config.keys import TOP_LEVEL_KEYS
from rogseg.engine.config.overrides import ATTACK_OPTIONS, CFG_OPTIONS, parse_overrides
from rogseg.engine.config.read import import_custom_modules, is_json, read_config
from rogseg.engine.config.task import attach_task, resolve_task_values
from rogseg.shipped_configs import find_config
from rogseg.task_plan import TaskPlan

__all__ = ["load_attack_config", "load_config", "load_system_config", "parse_overrides"]

Overrides = Mapping[str, Any] | Sequence[str] | None

# What the config of a network cannot do without; runtime.py of configs/_base_ has most of them.
NETWORK_KEYS = (
    "model", "trainer", "train_data", "train_cfg", "validation", "inference", "optim_wrapper", "param_scheduler",
    "plateau", "default_hooks", "custom_hooks", "visualizer", "env_cfg", "log_level", "default_scope", "data_root",
    "stored_root", "fold", "selection_fraction", "seed", "device", "launcher", "work_dir", "load_from", "resume",
)  # fmt: skip


def load_config(
    path: str | Path,
    overrides: Overrides = None,
    task_dir: str | Path | None = None,
    plan: TaskPlan | None = None,
) -> Config:
    """Read the config of a network, apply overrides, fill in the task and check every key and value.

    Args:
        path: Python or JSON config, or the name of one that comes with rogseg. A Python config is code and runs as
            such; a JSON config is data.
        overrides: dotted keys and their values, or ``key=value`` strings as they come from the command line.
        task_dir: folder of a stored task; its plan is taken where the config has none.
        plan: that is taken where neither the config nor a stored task has one, such as that of a checkpoint.

    Returns:
        The config; strings ``task.<attribute>`` are replaced, and ``task`` is a plan as JSON data.

    Raises:
        ValueError: the file cannot be read, it is no config of a network, two bases share a key, or a key, a
            component's name, one of its arguments or a value is not what it must be; the message names the file, the
            key and the nearest known one.
    """
    path = find_config(path)
    config = _loaded(path, overrides, task_dir, plan)
    if "model" not in config:
        kinds = {"attack": "is the config of an attack", "system": "is the config of a system"}
        found = next((said for key, said in kinds.items() if key in config), "has no key 'model'")
        raise ValueError(
            f"{path}: {found}, and the config of a network is needed here, for instance "
            "configs/rog/rog_standard_liver.py"
        )
    if missing := [key for key in NETWORK_KEYS if key not in config]:
        raise ValueError(
            f"{path}: lacks {', '.join(missing)}; _base_ of the config of a network has ../_base_/runtime.py, a "
            "schedule and a dataset, see configs/rog/rog_standard.py"
        )
    return config


def load_system_config(path: str | Path, overrides: Overrides = None, task_dir: str | Path | None = None) -> Config:
    """Read the config of a system of anybody's: ``system``, and where it has them ``measures`` and ``device``.

    Raises:
        ValueError: as `load_config`, or it has no system.
    """
    config = _loaded(Path(path), overrides, task_dir)
    if config.get("system") is None:
        raise ValueError(f"{path}: has no key 'system'; name its checkpoint behind it, or give it a system")
    return config


def load_attack_config(path: str | Path, overrides: Overrides = None) -> Config:
    """Read the config of an attack: ``attack``, and where it has them ``threat``, ``epsilons`` and ``criterion``.

    Raises:
        ValueError: as `load_config`, or it is no config of an attack.
    """
    path = find_config(path)
    config = _loaded(path, overrides, None, flag=ATTACK_OPTIONS)
    if config.get("attack") is None:
        what = "is the config of a network, not of an attack" if "model" in config else "has no key 'attack'"
        raise ValueError(f"{path}: {what}; take one of configs/attack/")
    epsilons = config.get("epsilons", [1.0])
    if not epsilons:
        raise ValueError(f"{path}: epsilons is empty; give at least one, for instance [8 / 255]")
    if config.get("threat", {}).get("unit", "fraction") in ("fraction", "reference") and max(epsilons) > 1:
        raise ValueError(
            f"{path}: epsilons are {list(epsilons)}, fractions of the width of the intensity box, so at most 1, "
            "such as 8/255; for raw units write threat = dict(type='LinfThreat', unit='raw'), and no --reference"
        )
    return config


def _loaded(
    path: Path,
    overrides: Overrides,
    task_dir: str | Path | None,
    plan: TaskPlan | None = None,
    *,
    flag: str = CFG_OPTIONS,
) -> Config:
    config = read_config(path)
    if overrides is not None:
        merged = dict(overrides) if isinstance(overrides, Mapping) else parse_overrides(overrides, flag)
        for key in merged:
            _check_key(key, flag, config)
        try:
            config.merge_from_dict(merged)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"{flag}: {merged} does not fit {path}: {error}") from error
    for key in config:
        _check_key(key, str(path), config)
    check_top_level(config, str(path))
    _check_stage(config, path)
    import_custom_modules(config)
    attach_task(config, task_dir)
    if plan is not None and config.get("task") is None:
        config.task = plan.to_json()
    resolve_task_values(config)
    for key, value in config.items():
        if key not in ("task", "custom_imports"):
            check_components(value, key, str(path))
    return config


def _check_stage(config: Config, path: Path) -> None:
    stage = (config.get("init_from") or {}).get("stage")
    if is_json(path) and isinstance(stage, str) and not is_json(Path(stage)):
        raise ValueError(
            f"{path}: init_from.stage is {stage!r}; a JSON config trains no stage that is Python code: name a JSON "
            "config, or give init_from.checkpoint"
        )


def _check_key(key: str, where: str, config: Config) -> None:
    first = key.partition(".")[0]
    if first not in TOP_LEVEL_KEYS:
        raise ValueError(f"{where}: unknown key {first!r}: {key_hint(key, dict(config.items()))}")
