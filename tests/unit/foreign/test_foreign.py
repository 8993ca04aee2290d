import dataclasses
import os
import socket
from pathlib import Path
from typing import Any, Literal

import pytest

from rogseg.foreign import checked_name, decode, open_regular, parse_json, read_json, read_regular


@pytest.mark.parametrize("name", ["case_01", "Task04_Hippocampus", "BraTS-0001", "Müller", "a b", "x" * 200, "a.b"])
def test_usual_names_pass(name: str) -> None:
    assert checked_name(name, "dataset.json: training") == name


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        (".", "begins with a dot"),
        ("..", "begins with a dot"),
        (".hidden", "begins with a dot"),
        ("a/b", "path separator"),
        ("..\\x", "begins with a dot"),
        ("a\\b", "path separator"),
        ("/etc/passwd", "path separator"),
        ("a\0b", "cannot be printed"),
        ("a\nb", "cannot be printed"),
        ("a\x1b[2J", "cannot be printed"),
        ("a\udcff", "cannot be printed"),
        ("a\u202eb", "cannot be printed"),
        (" a", "blank"),
        ("a ", "blank"),
        ("x" * 201, "longer than 200 bytes"),
        ("ä" * 101, "longer than 200 bytes"),
        (None, "is no text"),
        (3, "is no text"),
        (["a"], "is no text"),
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(name: object, fault: str) -> None:
    with pytest.raises(ValueError, match=rf"^index\.json: .* cannot name a file or folder, since it .*{fault}"):
        checked_name(name, "index.json")


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"abc"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    for name in ("pipe", "endless", "socket", "."):
        with pytest.raises(ValueError, match="not a plain file"):
            open_regular(tmp_path / name)
    server.close()
    with pytest.raises(ValueError, match="cannot be read"):
        open_regular(tmp_path / "loop")
    with pytest.raises(ValueError, match=r"missing: no such file; complete the data"):
        open_regular(tmp_path / "missing", "complete the data")
    with pytest.raises(ValueError, match="no file can have this name"):
        open_regular(f"{tmp_path}/a\0b")


def test_files_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 11)
    assert read_regular(tmp_path / "a", 11) == b"x" * 11
    with pytest.raises(ValueError, match="11 bytes where at most 10"):
        read_regular(tmp_path / "a", 10)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not usable JSON"),
        (b"{", "not usable JSON"),
        (b"\xff\xfe{", "not usable JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[Infinity]", "Infinity is no JSON number"),
        (b"[" + b"9" * 5000 + b"]", "not usable JSON"),
    ],
)
def test_bad_json_is_one_sentence(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^x\.json: .*{message}.*; mend it$"):
        parse_json(text, "x.json", "mend it")


def test_good_json_is_read_with_and_without_a_mark(tmp_path: Path) -> None:
    for start in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.json").write_bytes(start + '{"ä": [1, 2.5, null]}'.encode())
        assert read_json(tmp_path / "a.json", "mend it") == {"ä": [1, 2.5, None]}


@dataclasses.dataclass(frozen=True)
class _Inner:
    value: float


@dataclasses.dataclass(frozen=True)
class _Outer:
    name: str
    kind: Literal["organ", "lesion"]
    size: tuple[int, int, int]
    inner: tuple[_Inner, ...]
    places: dict[int, list[int]] | None
    flag: bool = False
    note: str | None = None


GOOD: dict[str, Any] = {
    "name": "a",
    "kind": "organ",
    "size": [1, 2, 3],
    "inner": [{"value": 1}, {"value": 2.5}],
    "places": {"1": [4, 5]},
}


def test_json_becomes_the_declared_types() -> None:
    assert decode(GOOD, _Outer, "plan") == _Outer("a", "organ", (1, 2, 3), (_Inner(1), _Inner(2.5)), {1: [4, 5]})
    assert decode({**GOOD, "places": None, "note": "x"}, _Outer, "plan").note == "x"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "plan.name must be a text, got 3"),
        ({"name": None}, "plan.name must be a text"),
        ({"kind": "Organ"}, "plan.kind must be 'organ' or 'lesion'"),
        ({"kind": []}, "plan.kind must be 'organ' or 'lesion'"),
        ({"size": [1, 2]}, "plan.size must be a list of 3"),
        ({"size": "123"}, "plan.size must be a list of 3"),
        ({"size": [1, 2, 3.0]}, r"plan.size\[2\] must be a whole number"),
        ({"size": [1, 2, True]}, r"plan.size\[2\] must be a whole number"),
        ({"inner": {}}, "plan.inner must be a list"),
        ({"inner": [3]}, r"plan.inner\[0\] must be an object"),
        ({"inner": [{"value": "1"}]}, r"plan.inner\[0\].value must be a finite number"),
        ({"inner": [{"value": float("inf")}]}, r"plan.inner\[0\].value must be a finite number"),
        ({"inner": [{}]}, r"plan.inner\[0\]: missing keys \['value'\]"),
        ({"places": {"x": [1]}}, "a key of plan.places must be a whole number"),
        ({"places": {"1": [1.5]}}, r"plan.places\['1'\]\[0\] must be a whole number"),
        ({"places": []}, "plan.places must be an object"),
        ({"flag": 1}, "plan.flag must be true or false"),
        ({"stranger": 1}, r"unknown keys \['stranger'\]"),
    ],
)
def test_another_type_is_named_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decode({**GOOD, **change}, _Outer, "plan")


@pytest.mark.parametrize("value", [None, [], 3, "a"])
def test_no_object_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="plan must be an object with named entries"):
        decode(value, _Outer, "plan")
