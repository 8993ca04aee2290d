"""Names that come from files: of cases, tasks, members of archives, networks of the zoo."""

__all__ = ["checked_name"]

MAX_BYTES = 200  # a file system takes 255, and a temporary neighbour's name is longer by some 40


def checked_name(name: object, where: object) -> str:
    """A name that can only stand for one file or folder inside of the folder that it is joined to.

    Args:
        name: what a file of somebody else calls it.
        where: the file or key that says so, for the message.

    Raises:
        ValueError: the name is no text, is empty, begins with a dot, holds a path separator or a character that cannot
            be printed (NUL, a line break, half of a broken encoding), has blanks at an end, or is too long.
    """
    fault = _fault(name)
    if fault is not None:
        shown = ascii(name) if len(ascii(name)) <= 80 else f"{ascii(name)[:80]}..."
        raise ValueError(f"{where}: {shown} cannot name a file or folder, since it {fault}; give it another name")
    return str(name)


def _fault(name: object) -> str | None:
    if not isinstance(name, str):
        return "is no text"
    faults = {
        "is empty": not name,
        "begins with a dot": name.startswith("."),
        "holds a path separator": "/" in name or "\\" in name,
        "holds a character that cannot be printed": not name.isprintable(),
        "begins or ends with a blank": name != name.strip(),
        f"is longer than {MAX_BYTES} bytes": len(name.encode(errors="replace")) > MAX_BYTES,
    }
    return next((fault for fault, applies in faults.items() if applies), None)
