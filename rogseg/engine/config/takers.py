"""Keys whose value is the arguments of one thing without a type: whoever takes them says so here."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["TAKERS", "Taker", "takes"]

Any_ = TypeVar("Any_", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Taker:
    """What gets the arguments under a key.

    Args:
        call: a function or a class.
        supplied: names of the arguments that the engine gives itself; a config cannot.
    """

    call: Callable[..., Any]
    supplied: frozenset[str]


TAKERS: dict[str, Taker] = {}
"""By key. Packages above this one fill it, so that checking a config imports none of them."""


def takes(key: str, *supplied: str) -> Callable[[Any_], Any_]:
    """Say that the decorated function or class gets what stands under a key of a config."""

    def register(call: Any_) -> Any_:
        TAKERS[key] = Taker(call, frozenset(supplied))
        return call

    return register
