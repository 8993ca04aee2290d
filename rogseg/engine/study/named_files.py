"""What the arguments of a step name: files and folders, and the files that their configs name in turn."""

import ast
import functools
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rogseg.engine.model.model_zoo import zoo_models
from rogseg.engine.model.recorded_plan import plan_path
from rogseg.shipped_configs import shipped_configs

__all__ = ["mentioned", "named_files", "plan_beside", "words_of"]

CONFIGS = (".py", ".json")
CHECKPOINTS = (".pth", ".safetensors")
MOST_BYTES = 2**20  # of a config that is searched for further files
MODULES = "custom_imports="
MARKS = r"[,\[\]'\"]"
"""Between the entries of a list; a path may hold them as well."""


def words_of(text: str) -> tuple[str, ...]:
    """What a path or a name may be in an argument or in a text of a config, the longest first.

    These are all ``x`` of ``x``, ``--flag=x``, ``key=x``, ``name=x,x`` and ``key=['x', 'x']``.
    """
    return tuple(dict.fromkeys(word for part in _parts(text) for word in _ends(part)))


def named_files(command: Sequence[str]) -> list[Path]:
    """The files and folders that are there and that a command names, itself or in its configs.

    Networks of the model zoo and configs of rogseg go by their names; of a config the files that its texts name
    follow, from here or from its folder, such as bases and weights, and the modules of its ``custom_imports``.

    Args:
        command: the arguments of ``rogseg``.
    """
    names = {name: [path] for name, path in shipped_configs().items()}
    names |= {name: [model.checkpoint, model.config] for name, model in zoo_models().items()}
    found: dict[Path, None] = {}
    followed: set[Path] = set()

    def follow(path: Path) -> None:
        found[path] = None
        if path.resolve() not in followed:
            followed.add(path.resolve())
            for text in _texts_in(path):
                for inner in _meant(text, names, ("", path.parent)):
                    if inner.is_file() or text.startswith(MODULES):
                        follow(inner)

    for argument in command[1:]:
        for path in _meant(argument, names, ("",)):
            follow(path)
    return list(found)


def mentioned(command: Sequence[str]) -> tuple[set[Path], set[Path]]:
    """The absolute paths that a command may mean, whether something is there or will be.

    Returns:
        Files and folders that its arguments name; files that its configs name. The plan beside a checkpoint is one.
    """
    own = {Path(word).absolute() for argument in command[1:] for word in words_of(argument)}
    texts = {
        Path(folder, word).absolute()
        for config in named_files(command)
        for text in _texts_in(config)
        for word in words_of(text)
        for folder in ("", config.parent)
    }
    return ({*own, *plan_beside(own)}, {*texts, *plan_beside(texts)})


def plan_beside(paths: "Sequence[Path] | set[Path]") -> list[Path]:
    """Where a choice of post-processing is recorded for those of the files that are checkpoints."""
    return [plan_path(path) for path in paths if path.suffix in CHECKPOINTS]


def _parts(text: str) -> tuple[str, ...]:
    return (text, *re.split(MARKS, text))


def _ends(part: str) -> Iterator[str]:
    """All of it, and what follows each ``=``, where a path may hold some itself."""
    pieces = part.split("=")
    yield from filter(None, ("=".join(pieces[at:]).strip() for at in range(len(pieces))))


def _meant(text: str, names: Mapping[str, Sequence[Path]], folders: Sequence[str | Path]) -> list[Path]:
    """The files and folders that a text means: one, or as many as its entries."""
    if text.startswith(MODULES):
        return [path for word in words_of(text.removeprefix(MODULES)) for path in _modules(word)]
    whole, *entries = (_first(part, names, folders) for part in _parts(text))
    return list(whole) or [path for entry in entries for path in entry]


def _first(part: str, names: Mapping[str, Sequence[Path]], folders: Sequence[str | Path]) -> Sequence[Path]:
    for word in _ends(part):
        if word in names:
            return [path for path in names[word] if path.is_file()]
        for folder in folders:
            if "\0" not in word and os.path.exists(path := Path(folder, word)):
                return [path]
    return []


def _modules(name: str) -> Iterator[Path]:
    """The file or the folder of a module, where a step finds it: Python looks in the working folder first."""
    if all(part.isidentifier() for part in name.split(".")):
        for folder in ("", *sys.path):
            place = Path(folder, *name.split("."))
            for path, proof in ((place, place / "__init__.py"), (place.with_suffix(".py"),) * 2):
                if proof.is_file():
                    yield path
                    return


def _texts_in(config: Path) -> tuple[str, ...]:
    """The texts of a config; none of another file. A module that it imports is written ``custom_imports=NAME``."""
    if config.suffix not in CONFIGS or not config.is_file():
        return ()
    status = config.stat()
    return () if status.st_size > MOST_BYTES else _read_texts(str(config), (status.st_size, status.st_mtime_ns))


@functools.cache
def _read_texts(config: str, _state: tuple[int, int]) -> tuple[str, ...]:
    try:
        nodes = list(ast.walk(ast.parse(Path(config).read_text("utf-8-sig"))))
    except (SyntaxError, ValueError, RecursionError):  # whoever reads it as a config tells
        return ()
    imports = [node.value for node in nodes if isinstance(node, ast.Assign) and _is_imports(node)]
    modules = [f"{MODULES}{text}" for value in imports for text in _constants(ast.walk(value))]
    return (*dict.fromkeys((*_constants(nodes), *modules)),)


def _is_imports(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and f"{target.id}=" == MODULES for target in node.targets)


def _constants(nodes: "Iterator[ast.AST] | Sequence[ast.AST]") -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
