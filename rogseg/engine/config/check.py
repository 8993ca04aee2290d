"""Checks every value of a config against what will take it, before anything is built.

What is right is not listed here: a key of the top level says its type in `TYPE_OF_KEY`, and an argument that of its
constructor's annotation, with the range that its name has everywhere.
"""

import inspect
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from rogseg.engine.config.keys import TYPE_OF_KEY, ConfigKeyError, nearest
from rogseg.engine.config.slots import NAME_SLOTS, SLOTS, Slot
from rogseg.engine.config.takers import TAKERS
from rogseg.engine.config.values import problem_of
from rogseg.registry import SCOPE, Registry

__all__ = ["check_components", "check_top_level"]

LOOSE = ("mmengine", "mmcv")
PARAMETERS = "optim_wrapper.paramwise_cfg.custom_keys"
# Packages whose arguments of one name have the meaning that `RANGES` gives it; an extension may use other words.
OWN_WORDS = ("rogseg", "torch")


def check_top_level(config: Mapping[str, Any]) -> None:
    """Check the values of the top level's keys, not yet what is in them.

    Raises:
        ConfigKeyError: a value is of another type or outside of its range.
    """
    for key, value in config.items():
        if problem := problem_of(key, value, TYPE_OF_KEY.get(key, Any)):
            raise ConfigKeyError(key, problem)


def check_components(value: Any, where: str, name: str | None = None) -> None:
    """Check what stands under a key, recursively: types, names of arguments and their values.

    Args:
        value: what stands there.
        where: dotted path of the key, for messages.
        name: last word of the path; None is the path itself.

    Raises:
        ConfigKeyError: a type or an argument is unknown, missing, or of another type or range than it must be; the
            message names the nearest known word.
    """
    name = where if name is None else name
    if where == PARAMETERS:
        return  # names of weights; some are called as a component is
    if where in TAKERS and isinstance(value, Mapping):
        taker = TAKERS[where]
        _check_arguments(value, set(value), where, taker.call, where, taker.supplied)
    elif name in SLOTS:
        _check_slot(value, where, SLOTS[name])
    else:
        _refuse_imports(value, where)
        for key, entry in _entries(value):
            path = f"{where}[{key}]" if isinstance(key, int) else f"{where}.{key}"
            check_components(entry, path, str(key))


def _check_slot(value: Any, where: str, slot: Slot) -> None:
    if value is None:
        return  # whether there may be none, the one who takes it says
    if slot.shape == "many" or (slot.shape == "either" and isinstance(value, list | tuple)):
        if not isinstance(value, list | tuple):
            raise ConfigKeyError(where, f"is {value!r}, it must be a list of dict(type=...)")
        for index, entry in enumerate(value):
            _check_one(entry, f"{where}[{index}]", slot)
    elif slot.shape == "named":
        if not isinstance(value, Mapping):
            raise ConfigKeyError(where, f"is {value!r}, it must be a dictionary of name=dict(type=...)")
        for key, entry in value.items():
            if entry is not None:
                _check_one(entry, f"{where}.{key}", slot)
    else:
        _check_one(value, where, slot)


def _check_one(component: Any, where: str, slot: Slot) -> None:
    kind = slot.registry.name
    if not isinstance(component, Mapping) or "type" not in component:
        raise ConfigKeyError(where, f"is {component!r}, it must be dict(type=...), a registered {kind}")
    _refuse_imports(component, where)
    name = component["type"]
    constructor = slot.registry.get(name) if isinstance(name, str) else name
    if constructor is None and isinstance(name, str):
        raise ConfigKeyError(
            f"{where}.type",
            f"is {name!r}, which is unknown: {nearest(name, _known(slot.registry))}; one of your own is known where "
            "custom_imports of a Python config names its module",
        )
    if not callable(constructor):
        raise ConfigKeyError(f"{where}.type", f"is {name!r}, it must be the name of a registered {kind}, or a class")
    called = name if isinstance(name, str) else getattr(name, "__name__", str(name))
    given = set(component) - {"type"}
    _check_arguments(component, given, where, constructor, called, slot.supplied, slot.extra)
    if slot.tried:
        try:
            slot.registry.build(_plain(component))
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigKeyError(where, f": {error}") from error


def _check_arguments(
    arguments: Mapping[str, Any],
    given: set[str],
    where: str,
    constructor: Any,
    name: str,
    supplied: frozenset[str],
    extra: Mapping[str, Any] | None = None,
) -> None:
    annotations, required, is_complete = signature_of(constructor)
    for key in () if is_complete else sorted(set(annotations) & set(NAME_SLOTS)):
        # The rest goes to the component that is named there, behind the thing that it is of.
        default = inspect.signature(constructor).parameters[key].default
        receiver = NAME_SLOTS[key].get(str(arguments.get(key, default)))
        taken, _, is_complete = signature_of(receiver) if receiver is not None else ({}, set(), False)
        annotations = {**taken, **annotations}
    annotations |= extra or {}
    allowed = set(annotations) - supplied
    if is_complete:
        for unknown in sorted(given - allowed, key=str):
            raise ConfigKeyError(f"{where}.{unknown}", f"is no argument of {name}: {nearest(str(unknown), allowed)}")
    missing = sorted(required - given - supplied)
    if missing:
        raise ConfigKeyError(where, f"({name}) lacks {', '.join(missing)}")
    package = str(getattr(constructor, "__module__", "")).partition(".")[0]
    for key in sorted(given, key=str):
        value, path = arguments[key], f"{where}.{key}"
        is_slot = key in SLOTS and isinstance(value, Mapping | list | tuple)  # may be built before the call
        # MMEngine annotates what it makes of a value, not what a config gives: only a text is compared.
        is_loose = package in LOOSE and (key in SLOTS or not isinstance(value, str)) and key not in (extra or {})
        if is_slot or is_loose:
            problem = None
        else:
            problem = problem_of(key, value, annotations.get(key, Any), package in OWN_WORDS)
        if problem is not None:
            raise ConfigKeyError(path, problem)
        if key in NAME_SLOTS and isinstance(value, str) and NAME_SLOTS[key].get(value) is None:
            hint = nearest(value, _known(NAME_SLOTS[key]))
            raise ConfigKeyError(path, f"is {value!r}, which is unknown: {hint}")
        if is_slot or is_loose or key not in SLOTS:
            check_components(value, path, key)


def signature_of(constructor: Any) -> tuple[dict[str, Any], set[str], bool]:
    """Annotations by argument, arguments without default, and whether that is all that the constructor takes.

    A class that passes ``**kwargs`` on takes what the classes above it take.
    """
    annotations: dict[str, Any] = {}
    required: set[str] = set()
    passes_on = False
    for cls in inspect.getmro(constructor) if inspect.isclass(constructor) else (constructor,):
        if cls is object:
            return annotations, required, not passes_on
        if inspect.isclass(cls) and "__init__" not in vars(cls):
            continue
        function = vars(cls)["__init__"] if inspect.isclass(cls) else cls
        parameters, hints = inspect.signature(function).parameters, _hints_of(function)
        for parameter in parameters.values():
            if parameter.name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            annotations.setdefault(parameter.name, hints.get(parameter.name, Any))
            if parameter.default is parameter.empty:
                required.add(parameter.name)
        passes_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        if not passes_on:
            return annotations, required, True
    return annotations, required, True


def _hints_of(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except NameError:  # an annotation of a foreign package that holds for type checkers alone: nothing is known of it
        return {}


def _refuse_imports(value: Any, where: str) -> None:
    """MMEngine imports what a name with a dot or a scope says, wherever it builds something itself."""
    if not isinstance(value, Mapping):
        return
    if value.get("_scope_") not in (None, SCOPE):
        raise ConfigKeyError(f"{where}._scope_", f"is {value['_scope_']!r}; only components of {SCOPE} are built")
    name = value.get("type")
    if isinstance(name, str) and not name.isidentifier():
        raise ConfigKeyError(
            f"{where}.type",
            f"is {name!r}; only registered names are built, and they have no dots: to use a class of your own, "
            "register it and name its package in custom_imports of a Python config",
        )


def _known(registry: Registry) -> set[str]:
    above = {} if registry.parent is None else registry.parent.module_dict
    return {*registry.module_dict, *above}


def _entries(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(entry) for entry in value)
    return value
