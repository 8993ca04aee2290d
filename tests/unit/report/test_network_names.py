import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from rogseg.evaluation.identity import EvaluatedSystem, EvaluationIdentity
from rogseg.report.records.network_names import network_names
from tests.identities import IDENTITY


def identity(options: Mapping[str, Any], digest: str = "abcdefghij", **changes: Any) -> EvaluationIdentity:
    return dataclasses.replace(IDENTITY, system=EvaluatedSystem("nnunet", "net", digest, options), **changes)


def names(*identities: EvaluationIdentity, name: str = "") -> list[str]:
    return network_names([(name, one) for one in identities])


def test_weights_that_are_used_in_two_ways_are_two_networks() -> None:
    plain, mirrored = identity({"mirrored_axes": [], "x": 1}), identity({"mirrored_axes": [0, 1, 2], "x": 1})
    assert names(plain, mirrored, plain) == [
        "net (mirrored_axes none)",
        "net (mirrored_axes 0 1 2)",
        "net (mirrored_axes none)",
    ]
    assert names(plain, mirrored, name="mine")[1] == "mine (mirrored_axes 0 1 2)"
    assert names(plain, plain) == ["net", "net"]
    other = identity({"mirrored_axes": [2]}, digest="0123456789")
    assert names(plain, other) == ["net abcdefgh", "net 01234567"]
    assert names(plain, mirrored, other) == [
        "net abcdefgh (mirrored_axes none)",
        "net abcdefgh (mirrored_axes 0 1 2)",
        "net 01234567",
    ]


def test_only_as_many_options_are_named_as_tell_networks_apart() -> None:
    first, second = identity({"a": 1, "b": {"c": True}, "d": "x" * 40}), identity({"a": 2, "b": {"c": False}})
    assert names(first, second) == ["net (a 1)", "net (a 2)"]
    third = identity({"a": 2, "b": {"c": True}})
    assert names(first, second, third)[1:] == ["net (a 2, b.c false)", "net (a 2, b.c true)"]
    long, longer = (identity({"plan": "x" * length}) for length in (40, 41))
    assert len(set(names(long, longer))) == 2
    assert max(map(len, names(long, longer))) < 60
    assert names(identity({}), identity({"trust": True})) == ["net (trust not set)", "net (trust true)"]


@pytest.mark.parametrize(("key", "value", "shown"), [("window_size", (8, 8, 8), "8 8 8"), ("overlap", 0.25, "0.25")])
def test_windows_tell_networks_apart_where_both_are_known(key: str, value: Any, shown: str) -> None:
    known, other, unknown = (identity({}, **change) for change in ({}, {key: value}, {key: None}))
    assert names(known, unknown) == ["net", "net"]
    assert names(known, other)[1] == f"net ({key} {shown})"
    assert len(set(names(known, other, unknown))) == 3


def test_older_records_noted_options_here_and_there() -> None:
    old: dict[str, Any] = {"versions": {"rogseg": "0.1.0", "schema": 1}}
    assert names(identity({"model": 1}, **old), identity({"model": 2}, **old)) == ["net", "net"]
