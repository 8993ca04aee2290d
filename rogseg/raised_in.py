"""In whose code an error was raised: a component of the user's own is told apart from rogseg and from libraries."""

import os
import re
import sysconfig
import traceback
from collections.abc import Sequence

__all__ = ["foreign_fault", "is_of_library"]

# What rogseg calls itself: an error that comes out of these is the fault of whoever called them.
LIBRARIES = frozenset({
    "PIL", "addict", "blosc2", "cc3d", "cloudpickle", "einops", "jinja2", "matplotlib", "mmcv", "mmengine", "monai",
    "nibabel", "numexpr", "numpy", "onnx", "onnxruntime", "ray", "rich", "safetensors", "scipy", "torch", "yaml",
})  # fmt: skip
# Of these a user names a network; the rest is called by rogseg.
NETWORKS = os.path.join("monai", "networks") + os.sep
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_COMMAND_LINE = os.path.join(_HERE, "command_line.py")
_STANDARD = tuple(os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib"))
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]([^/\\]+)")
_FRAME = re.compile(r'^ +File "([^"]+)", line (\d+), in (.+)$', re.MULTILINE)
_LONGEST = 300

Frame = tuple[str, int, str]
"""File, line and function."""


def foreign_fault(error: BaseException) -> str | None:
    """Where somebody else's code, called by rogseg, raised an error, its type and its text, in one line.

    What counts is the innermost code that is no library's: an own network that gives PyTorch wrong sizes is at fault,
    and so is rogseg where it does.

    Returns:
        None where that code is rogseg's, or nobody's, or was called by nobody here.
    """
    told = _told_by_worker(error)
    frames = _FRAME.findall(told) if told else _frames(error)
    if told:
        reason = told[[match.end() for match in _FRAME.finditer(told)][-1] :] if frames else told
        # Below the last frame stand its code, with blanks before it, and then the error.
        reason = " ".join(line for line in reason.splitlines() if not line.startswith(" "))
    else:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    places = [(owner, frame) for frame in frames if (owner := _owner(frame[0])) is not None]
    if not places or places[-1][0] == "rogseg" or all(owner != "rogseg" for owner, _ in places):
        return None
    file, line, function = places[-1][1]
    return f"{file}, line {line}, in {function}: {' '.join(reason.split())[:_LONGEST]}"


def is_of_library(error: BaseException, package: str) -> bool:
    """Whether an installed package has raised the error itself."""
    frames = _frames(error)
    return bool(frames) and _INSTALLED.findall(os.path.abspath(frames[-1][0]))[-1:] == [package]


def _frames(error: BaseException) -> Sequence[Frame]:
    frames = [(frame.filename, frame.lineno or 0, frame.name) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:  # which has not run yet
        frames.append((error.filename, error.lineno or 0, "<module>"))
    return frames


def _told_by_worker(error: BaseException) -> str | None:
    """The last traceback that another process has sent as a text; PyTorch's is the error's text, ours is a note."""
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith("in a worker process:")]
    texts = [*notes, *([str(error)] if "Original Traceback" in str(error) else [])]
    return texts[0].rpartition("Traceback (most recent call last):")[2] if texts else None


def _owner(file: str) -> str | None:
    """``rogseg``, ``other``, or None of a library, of what stands in no file, and of who calls any program."""
    path = os.path.abspath(file)
    if file.startswith("<") or path == _COMMAND_LINE:
        return None
    if path.startswith(_HERE):
        return "rogseg"
    if installed := _INSTALLED.findall(path):
        package = installed[-1].removesuffix(".py")
        return "other" if package not in LIBRARIES or NETWORKS in path else None
    return None if path.startswith(_STANDARD) else "other"
