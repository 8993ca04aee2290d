"""A bundle's config as data: references followed by ourselves, expressions refused or, where trusted, left to MONAI."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.foreign import read_json, read_regular

__all__ = ["ABSENT", "BundleConfig"]

MAX_BYTES = 4 * 2**20
MAX_ENTRIES = 20_000  # visited while one value is resolved: a file can name an entry in an entry in an entry
MAX_REFERENCES = 20_000  # followed in all: a reference to a reference of two references doubles with each step
MAX_DEPTH = 40
SEPARATORS = ("::", "#")
ABSENT = object()
# What comes of classes and expressions that do not work.
MONAI_ERRORS = (
    RuntimeError, ValueError, KeyError, TypeError, AttributeError, ImportError, NameError, OSError, IndexError,
)  # fmt: skip
REMEDY = "give a bundle folder with configs/inference.json, configs/metadata.json and models/model.pt"


class BundleConfig:
    """The config of a bundle.

    A text that begins with ``@`` stands for the entry that it names, ``#`` or ``::`` leading into it; one that begins
    with ``$`` is Python; one that begins with ``%`` is another file's entry.

    Args:
        path: of the config, JSON or YAML.
        root: the bundle's folder.
        trust: whether expressions are handed to MONAI, which runs them.

    Raises:
        ValueError: it cannot be read, or is no object.
    """

    def __init__(self, path: Path, root: Path, *, trust: bool = False) -> None:
        self.path, self.root, self.trust = path, root, trust
        content = _read(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: must be an object with entries such as network_def, got {str(content)[:60]!r}")
        self.content: dict[str, Any] = content
        self._parser: Any = None
        self._visited = self._followed = 0

    def raw(self, name: str) -> Any:
        """An entry as it stands, after the references that it is; `ABSENT` where there is none.

        Args:
            name: path of the entry, such as ``preprocessing#transforms#0``; references on the way are followed.
        """
        return self._follow(*self._located(name, 0), 0)[0]

    def value(self, name: str) -> Any:
        """An entry with everything in it resolved: plain data, or where trusted what MONAI makes of expressions.

        Raises:
            ValueError: it holds an expression that nobody trusts, or references that lead nowhere or in circles.
        """
        self._visited = 0
        return self._resolved(*self._located(name, 0), 0)

    def _resolved(self, value: Any, name: str, depth: int) -> Any:
        self._visited += 1
        if self._visited > MAX_ENTRIES or depth > MAX_DEPTH:
            raise ValueError(f"{self.path}: {name} holds too many entries in entries; this is no config of a network")
        value, name = self._follow(value, name, depth)
        if isinstance(value, dict):
            return {key: self._resolved(entry, f"{name}#{key}", depth + 1) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._resolved(entry, f"{name}#{place}", depth + 1) for place, entry in enumerate(value)]
        return value

    def _follow(self, value: Any, name: str, depth: int) -> tuple[Any, str]:
        """What a text stands for, and where that stands."""
        while isinstance(value, str) and value[:1] in ("@", "$", "%"):
            if value[0] != "@":
                return self._run(value, name), name
            depth += 1
            self._followed += 1
            if self._followed > MAX_REFERENCES:
                raise ValueError(
                    f"{self.path}: {name} leads through too many references; this is no config of a network"
                )
            if depth > MAX_DEPTH:
                raise ValueError(f"{self.path}: the reference {value!r} of {name} leads in a circle")
            reference, value = value, ABSENT
            value, name = self._located(reference[1:].strip(), depth)
            if value is ABSENT:
                raise ValueError(f"{self.path}: the reference {reference!r} leads to no entry; complete the file")
        return value, name

    def _located(self, name: str, depth: int) -> tuple[Any, str]:
        """An entry and where it stands, references on the way followed."""
        for separator in SEPARATORS:
            name = name.replace(separator, "\0")
        value: Any = self.content
        place = ""
        for key in name.split("\0"):
            if isinstance(value, str) and value.startswith("@"):
                value, place = self._follow(value, place, depth)
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isascii() and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                return ABSENT, name
            place = f"{place}#{key}" if place else key
        return value, place

    def _run(self, text: str, name: str) -> Any:
        if not self.trust:
            kind = "the expression" if text[0] == "$" else "an entry of another file,"
            raise ValueError(
                f"{self.path}: {name} is {kind} {text[:100]!r}, which is code and was not run; write its value there, "
                "or if you trust whoever made the bundle, pass --trust"
            )
        return self.built(name)

    def built(self, name: str) -> Any:
        """What MONAI makes of an entry: its classes imported and its expressions run. Only where trusted.

        Raises:
            ValueError: it cannot be made.
        """
        from monai.bundle import ConfigParser

        assert self.trust, "MONAI runs what a config says"
        if self._parser is None:
            # A relative folder in a config is the bundle's.
            self._parser = ConfigParser({**self.content, "bundle_root": str(self.root)})
        try:
            return self._parser.get_parsed_content(name)
        except (
            RuntimeError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            ImportError,
            NameError,
            OSError,
        ) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"{self.path}: MONAI cannot make {name} ({reason}); mend the bundle") from error


def _read(path: Path) -> Any:
    if path.suffix == ".json":
        return read_json(path, REMEDY, MAX_BYTES)
    import yaml

    try:
        content = yaml.safe_load(read_regular(path, MAX_BYTES, REMEDY))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not usable YAML ({' '.join(str(error).split())[:200]}); {REMEDY}") from error
    return {str(key): value for key, value in content.items()} if isinstance(content, Mapping) else content
