"""``key=value`` strings of a command line, read as the Python that a config would have, without running any."""

import ast
import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mmengine.config import ConfigDict

from rogseg.engine.config.keys import ConfigKeyError

__all__ = ["ATTACK_OPTIONS", "CFG_OPTIONS", "TRAINER_OPTIONS", "parse_overrides", "parse_value", "said_of_option"]

CFG_OPTIONS, ATTACK_OPTIONS, TRAINER_OPTIONS = "--cfg-options", "--attack-options", "--trainer-options"
EXAMPLES = {
    CFG_OPTIONS: "train_cfg.max_epochs=10",
    ATTACK_OPTIONS: "attack.num_iterations=5",
    TRAINER_OPTIONS: "num_replays=3",
}
WORDS = {"true": True, "false": False, "none": None}
# Such as 8/255; a minus between numbers is rather a date.
OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# What opens a list, a tuple, a dictionary or dict(...): if that cannot be read, no text was meant.
OPENINGS = ("[", "(", "{", "dict(")


def parse_overrides(options: Sequence[str], flag: str = CFG_OPTIONS) -> dict[str, Any]:
    """Read ``key=value`` strings; values are numbers, lists and ``dict(...)`` where they can be, and else texts.

    Args:
        options: the strings.
        flag: what they stand behind on the command line, one of `EXAMPLES`, for messages.

    Raises:
        ValueError: an entry has no ``=``, a key is given twice or inside another, or a list or dictionary cannot be
            read.
    """
    parsed: dict[str, Any] = {}
    for option in options:
        key, separator, text = option.partition("=")
        if not (separator and key):
            raise ValueError(f"{flag}: {option!r} must be KEY=VALUE, for instance {EXAMPLES[flag]}")
        if key in parsed:
            raise ValueError(f"{flag}: {key} is given twice, the second time by {option[:200]!r}; leave one out")
        parsed[key] = parse_value(text, f"{flag}: {option[:200]!r}")
    for key in parsed:
        for inner in parsed:
            if inner.startswith(f"{key}."):
                raise ValueError(
                    f"{flag}: {inner} lies inside {key}, which is given as well, so that one would be lost: "
                    f"write both into the value of {key}, or give each of its keys by itself"
                )
    return parsed


def parse_value(text: str, where: str) -> Any:
    """Read one value.

    Args:
        text: the value.
        where: the option and its entry, for messages.

    Raises:
        ValueError: it begins as a list or dictionary and cannot be read.
    """
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return _value_of(ast.parse(text, mode="eval").body, inside=False)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError, TypeError) as error:
        if text.startswith(OPENINGS):
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(
                f"{where} cannot be read ({reason[:200]}); write lists and components as in a "
                """config, for instance "model.losses=[dict(type='DiceLoss', weight=0.5)]\""""
            ) from error
        return text


@contextlib.contextmanager
def said_of_option(flag: str, keys: Iterable[str], filename: str) -> Iterator[None]:
    """Inside, a fault of a key is told as one of the option that gave the key, or else of the file.

    Where the option gave a part of what is at fault, both are named.

    Args:
        flag: what the keys stand behind on the command line.
        keys: dotted, as they were given.
        filename: of the config that they change.
    """
    try:
        yield
    except ConfigKeyError as fault:
        path = fault.key.replace("[", ".").replace("]", "")
        is_given = any(path == key or path.startswith(f"{key}.") for key in keys)
        parts = [key for key in keys if key.startswith(f"{path}.")]
        changed = f"{filename}, changed by {flag} {', '.join(parts)}" if parts else filename
        raise ConfigKeyError(fault.key, fault.problem, flag if is_given else changed) from fault


def _value_of(node: ast.expr, inside: bool) -> Any:
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
            return value
        case ast.List(elts=entries):
            return [_value_of(entry, True) for entry in entries]
        case ast.Tuple(elts=entries):
            return tuple(_value_of(entry, True) for entry in entries)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return ConfigDict({_value_of(k, True): _value_of(v, True) for k, v in zip(keys, values, strict=True) if k})
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=entries) if all(entry.arg for entry in entries):
            return ConfigDict({str(entry.arg): _value_of(entry.value, True) for entry in entries})
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_number(_value_of(operand, inside))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return OPERATORS[type(sign)](_number(_value_of(left, inside)), _number(_value_of(right, inside)))
        case ast.Name(id=name) if inside:  # the shell takes quotes away
            return WORDS.get(name.lower(), name)
    raise ValueError(f"{ast.unparse(node)} is no value")


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    return value
