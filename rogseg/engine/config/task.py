"""The task plan of a config: where it comes from and how ``"task.<attribute>"`` is replaced."""

import inspect
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rogseg.engine.config.keys import ConfigKeyError, nearest
from rogseg.engine.config.values import problem_of
from rogseg.task_plan import TaskPlan

__all__ = ["attach_task", "plan_of", "resolve_task_values", "sizes_not_taken"]

PREFIX = "task."
# What decides how cases are stored; a config with its own plan may differ from the folder in the rest.
STORED_ATTRIBUTES = ("name", "channels", "label_values", "class_names", "spacing")
SIZES = ("patch_size", "crop_size", "window_size")


def plan_of(config: Config) -> TaskPlan:
    """The plan under the key ``task``.

    Raises:
        ValueError: the config has no task, or the plan is not valid.
    """
    if config.get("task") is None:
        raise ValueError(
            f"{config.filename}: the config has no task: pass --task (in Python task_dir) with the folder that "
            "rogseg preprocess made, or add a plan such as ../_base_/tasks/liver.json to _base_"
        )
    content, hints = _plain(config.task), typing.get_type_hints(TaskPlan)
    for key, value in content.items():
        if key in hints and (problem := problem_of(key, value, hints[key])):
            raise ConfigKeyError(f"task.{key}", problem, config.filename)
    try:
        return TaskPlan.from_json(content)
    except ValueError as error:
        raise ConfigKeyError("task", f": {error}", config.filename) from error


def attach_task(config: Config, task_dir: str | Path | None) -> None:
    """Take the plan of a stored task into a config that has none, and check that it fits one that has.

    Raises:
        ValueError: the folder holds no plan, or its cases were stored for another task than the config's.
    """
    if task_dir is None:
        return
    path = Path(task_dir) / "plan.json"
    if not path.is_file():
        raise ValueError(f"{task_dir}: not a stored task (no plan.json); run rogseg preprocess RAW --out {task_dir}")
    stored = TaskPlan.load(path)
    if config.get("task") is None:
        config.task = stored.to_json()
        return
    plan = plan_of(config)
    for attribute in STORED_ATTRIBUTES:
        here, there = getattr(plan, attribute), getattr(stored, attribute)
        if here != there:
            raise ValueError(
                f"{path}: its {attribute} is {there}, but {config.filename} has {here}: the cases were stored for "
                "another plan; preprocess again with the config's plan or leave out --task"
            )
    if stored.orientation is not None:
        if plan.orientation not in (None, stored.orientation):
            raise ValueError(
                f"{path}: its axes point {stored.orientation}, but {config.filename} has {plan.orientation}: the cases "
                "were stored for another plan; preprocess again with the config's plan or leave out --task"
            )
        config.task["orientation"] = stored.orientation  # found in the data, so that predictions know it, too


def sizes_not_taken(config: Config, stored: TaskPlan) -> str | None:
    """What a user should know who stored cases with other sizes than a config with its own plan trains with."""
    plan = plan_of(config)
    others = [size for size in SIZES if getattr(plan, size) != getattr(stored, size)]
    if not others:
        return None
    ours = ", ".join(f"{size} {getattr(plan, size)}" for size in others)
    options = " ".join(f"task.{size}={list(getattr(stored, size))}".replace(" ", "") for size in others)
    return (
        f"{config.filename} has a plan of its own: {ours} are taken from there, not from the plan of the stored cases; "
        f"--cfg-options {options} takes those of the cases"
    )


def resolve_task_values(config: Config) -> None:
    """Replace every string ``task.<attribute>`` by that attribute of the plan, in place.

    Raises:
        ConfigKeyError: there is no such attribute.
    """
    plan = plan_of(config) if config.get("task") is not None else None
    for key, value in config.items():
        if key != "task":
            config[key] = _resolve(value, plan, key, config)


def _resolve(value: Any, plan: TaskPlan | None, where: str, config: Config) -> Any:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            value[key] = _resolve(entry, plan, f"{where}.{key}", config)  # type: ignore[index]
        return value
    if isinstance(value, list | tuple):
        return type(value)(_resolve(entry, plan, f"{where}[{i}]", config) for i, entry in enumerate(value))
    if not (isinstance(value, str) and value.startswith(PREFIX)):
        return value
    attribute = value.removeprefix(PREFIX)
    if attribute not in _attributes():
        raise ConfigKeyError(where, f"is {value!r}: {nearest(attribute, _attributes())}")
    return getattr(plan if plan is not None else plan_of(config), attribute)


def _attributes() -> set[str]:
    members = inspect.getmembers(TaskPlan, lambda member: isinstance(member, property))
    return set(TaskPlan.__dataclass_fields__) | {name for name, _ in members}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
