"""What a file of the user's own imports from beside it: code that a component depends on as on its own file."""

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["with_imports"]

INSTALLED = {"site-packages", "dist-packages"}


def with_imports(sources: Mapping[Path, str]) -> set[Path]:
    """The files, and those that they import, directly or through others, from their own folder or package.

    Import statements are read, wherever they stand, and nothing is run: so the answer does not depend on what has been
    imported already, and a worker finds what its driver found. A module whose name is made at run time is not found.

    Args:
        sources: files, each with the name of its module.
    """
    found: set[Path] = set()
    waiting = [_Module.of(path, name) for path, name in sources.items()]
    while waiting:
        module = waiting.pop()
        if module.path not in found:
            found.add(module.path)
            waiting += module.imported()
    return found


@dataclasses.dataclass(frozen=True)
class _Module:
    """A file, the full name of its module, and the folder that this name starts from."""

    path: Path
    name: str
    base: Path

    @classmethod
    def of(cls, path: Path, name: str) -> "_Module":
        parts = name.split(".")
        place = path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts
        if tuple(parts) != place[-len(parts) :]:  # as a program, whose module is __main__
            return cls(path, path.stem, path.parent)
        return cls(path, name, Path(*place[: -len(parts)]))

    @property
    def package(self) -> list[str]:
        """The package that the module is in, part by part; of a package itself."""
        parts = self.name.split(".")
        return parts if self.path.name == "__init__.py" else parts[:-1]

    def imported(self) -> Iterator["_Module"]:
        """Those from beside this one: from its outermost package, or from its folder where it is in none."""
        inside = self.package[:1]
        if not inside and INSTALLED & set(self.path.parts):
            return  # its folder holds all that is installed
        for name in self._names():
            parts = name.split(".")
            if parts[0] == "rogseg" or parts[: len(inside)] != inside:
                continue
            place = self.base.joinpath(*parts)
            for path in (place / "__init__.py", place.parent / f"{place.name}.py"):
                if path.is_file():
                    yield _Module(path, name, self.base)

    def _names(self) -> Iterator[str]:
        """Full names of what is imported, and of the packages around it; of ``from a import b`` also ``a.b``."""
        try:
            tree = ast.parse(self.path.read_bytes())
        except SyntaxError:  # it cannot have run
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                above = self.package[: len(self.package) + 1 - node.level] if node.level else []
                start = [*above, *([node.module] if node.module else [])]
                names = [".".join([*start, alias.name]) for alias in node.names]
            else:
                continue
            for name in names:
                parts = name.split(".")
                yield from (".".join(parts[: number + 1]) for number in range(len(parts)))
