"""The rows that a benchmark prints and the table is made of: ``what: measured (bar)``."""

import re

__all__ = ["ROW", "print_row"]

ROW = re.compile(r"^(?P<what>[^:]+): (?P<measured>.*?)(?: \((?P<bar>(?:at most|at least|bound)[^)]*)\))?$")


def print_row(what: str, measured: str, bar: str = "") -> None:
    """Print one row, at once, so that a run that is cut short shows how far it came.

    Args:
        what: is measured; without a colon, and the same in every run.
        measured: what came out, ratios last.
        bar: what is asked of it, ``at most ...`` or ``at least ...``; empty where nothing is.

    Raises:
        ValueError: the table could not read the row back.
    """
    line = f"{what}: {measured}" + (f" ({bar})" if bar else "")
    found = ROW.match(line)
    if found is None or (found["what"], found["measured"], found["bar"] or "") != (what, measured, bar):
        raise ValueError(
            f"the table would misread the row {line!r}: no colon before the measured part, a bar begins "
            "with 'at most' or 'at least' and holds no parenthesis"
        )
    print(line, flush=True)
