"""load_config: MMEngine's configs, guarded, so that what is misspelt or of a wrong type fails before anything runs."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rogseg.engine.config.check import check_components, check_top_level
from rogseg.engine.config.key_paths import key_hint
from rogseg.engine.config.keys import TOP_LEVEL_KEYS, ConfigKeyError, nearest
from rogseg.engine.config.overrides import ATTACK_OPTIONS, CFG_OPTIONS, parse_overrides, said_of_option
from rogseg.engine.config.read import import_custom_modules, is_json, read_config
from rogseg.engine.config.task import attach_task, resolve_task_values
from rogseg.registry import TRAINERS
from rogseg.shipped_configs import find_config
from rogseg.task_plan import TaskPlan

__all__ = ["load_attack_config", "load_config", "load_system_config", "parse_overrides", "refuse_others"]

Overrides = Mapping[str, Any] | Sequence[str] | None

# What the config of a network cannot do without; runtime.py of configs/_base_ has most of them.
NETWORK_KEYS = (
    "model", "trainer", "train_data", "train_cfg", "validation", "inference", "optim_wrapper", "param_scheduler",
    "plateau", "default_hooks", "custom_hooks", "visualizer", "env_cfg", "log_level", "default_scope", "data_root",
    "stored_root", "fold", "selection_fraction", "seed", "device", "launcher", "work_dir", "load_from", "resume",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a config is of: the key that says so, what else it takes, and what to do who gives one of another kind."""

    key: str
    words: str
    takes: frozenset[str]
    hint: str


EVALUATED = frozenset({"measures", "custom_imports", "default_scope"})
ATTACK = Kind(
    "attack", "an attack", EVALUATED | {"attack", "criterion", "threat", "epsilons"}, "take one of configs/attack/"
)
SYSTEM = Kind(
    "system",
    "a system",
    EVALUATED | {"system", "device", "task"},
    "name its checkpoint behind it, or give it a system",
)
NETWORK = Kind(
    "model",
    "a network",
    frozenset(TOP_LEVEL_KEYS) - {"attack", "criterion", "threat", "epsilons", "system"},
    "the config of a network, such as configs/rog/rog_standard_liver.py, is needed here",
)


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
        The config; strings ``task.<attribute>`` are replaced, ``task`` is a plan as JSON data, and an attack of
        ``validation`` that says no epsilon has that of the trainer.

    Raises:
        ValueError: the file cannot be read, it is no config of a network, two bases share a key, or a key, a
            component's name, one of its arguments or a value is not what it must be; the message names the file, the
            key and the nearest known one.
    """
    path = find_config(path)
    config = _loaded(path, NETWORK, overrides, task_dir, plan)
    if missing := [key for key in NETWORK_KEYS if key not in config]:
        raise ValueError(
            f"{path}: lacks {', '.join(missing)}; _base_ of the config of a network has ../_base_/runtime.py, a "
            "schedule and a dataset, see configs/rog/rog_standard.py"
        )
    _attack_as_trained(config)
    return config


def load_system_config(path: str | Path, overrides: Overrides = None, task_dir: str | Path | None = None) -> Config:
    """Read the config of a system of anybody's: ``system``, and where it has them ``measures`` and ``device``.

    Raises:
        ValueError: as `load_config`, or it has no system.
    """
    return _loaded(Path(path), SYSTEM, overrides, task_dir)


def load_attack_config(path: str | Path, overrides: Overrides = None) -> Config:
    """Read the config of an attack: ``attack``, and where it has them ``threat``, ``epsilons`` and ``criterion``.

    Raises:
        ValueError: as `load_config`, or it is no config of an attack.
    """
    return _loaded(find_config(path), ATTACK, overrides, flag=ATTACK_OPTIONS)


def _loaded(
    path: Path,
    kind: Kind,
    overrides: Overrides,
    task_dir: str | Path | None = None,
    plan: TaskPlan | None = None,
    *,
    flag: str = CFG_OPTIONS,
) -> Config:
    config, merged = read_config(path), dict[str, Any]()
    if overrides is not None:
        merged = dict(overrides) if isinstance(overrides, Mapping) else parse_overrides(overrides, flag)
        _check_keys(merged, flag, config)
        try:
            config.merge_from_dict(merged)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"{flag}: {merged} does not fit {path}: {error}") from error
    with said_of_option(flag, merged, str(path)):
        _check_keys(config, str(path), config)
        check_top_level(config)
        _check_stage(config, path)
        _check_kind(config, path, kind, merged)
        import_custom_modules(config)
        attach_task(config, task_dir)
        if plan is not None and config.get("task") is None:
            config.task = plan.to_json()
        resolve_task_values(config)
        for key, value in config.items():
            if key not in ("task", "custom_imports"):
                check_components(value, key)
        _check_epsilons(config)
    return config


def _attack_as_trained(config: Config) -> None:
    """Whoever changes the epsilon of a training chooses its checkpoint at that epsilon, unless the config says one."""
    validation = config.validation
    if validation is None or validation.get("attack") is None:
        return
    if (trained_within := TRAINERS.build(dict(config.trainer)).threat) is not None:
        validation.setdefault("epsilon", trained_within.epsilon)


def _check_kind(config: Config, path: Path, kind: Kind, overrides: Iterable[str]) -> None:
    if config.get(kind.key) is None:
        others = (other for other in (NETWORK, ATTACK, SYSTEM) if other.key in config and other is not kind)
        not_this = (f"is the config of {other.words}, not of {kind.words}" for other in others)
        found = next(not_this, f"has no key {kind.key!r}")
        raise ValueError(f"{path}: {found}; {kind.hint}")
    for keys in (overrides, config):
        refuse_others(keys, kind.takes, f"in the config of {kind.words}")


def refuse_others(keys: Iterable[str], taken: Collection[str], taker: str, place: str | None = None) -> None:
    """Refuse the keys that would have no effect.

    Args:
        keys: with dots or without.
        taken: what has one.
        taker: of what has one, for messages: ``in the config of ...`` or ``on ...``.
        place: the file or the option that they were given in, as far as that is known.

    Raises:
        ConfigKeyError: one has none.
    """
    for key in keys:
        if key.partition(".")[0] not in taken:
            mend = "name the cases with --cases instead of --fold" if key == "fold" else "leave it out"
            raise ConfigKeyError(key, f"has no effect {taker}; {mend} ({nearest(key, taken)})", place)


def _check_epsilons(config: Config) -> None:
    epsilons = config.get("epsilons", [1.0])
    if not epsilons:
        raise ConfigKeyError("epsilons", "is empty; give at least one, for instance [8 / 255]")
    if config.get("threat", {}).get("unit", "fraction") in ("fraction", "reference") and max(epsilons) > 1:
        raise ConfigKeyError(
            "epsilons",
            f"are {list(epsilons)}, fractions of the width of the intensity box, so at most 1, such as 8/255; for raw "
            "units write threat = dict(type='LinfThreat', unit='raw'), and no --reference",
        )


def _check_stage(config: Config, path: Path) -> None:
    stage = (config.get("init_from") or {}).get("stage")
    if is_json(path) and isinstance(stage, str) and not is_json(Path(stage)):
        raise ConfigKeyError(
            "init_from.stage",
            f"is {stage!r}; a JSON config trains no stage that is Python code: name a JSON config, or give "
            "init_from.checkpoint",
        )


def _check_keys(keys: Iterable[str], where: str, config: Config) -> None:
    for key in keys:
        first = key.partition(".")[0]
        if first not in TOP_LEVEL_KEYS:
            raise ValueError(f"{where}: unknown key {first!r}: {key_hint(key, dict(config.items()))}")
