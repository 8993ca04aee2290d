"""Consoles that print what they are given, on whatever terminal."""

from rich.console import Console, RenderableType

__all__ = ["make_console", "print_table"]


def make_console() -> Console:
    """A console that takes texts as they are: "[mm]" is a unit, not a style."""
    return Console(markup=False, emoji=False, highlight=False)


def print_table(table: RenderableType) -> None:
    """Print a table with all of its numbers; a terminal that is too narrow folds its lines, and loses no column."""
    console = make_console()
    console.width = max(console.width, console.measure(table, options=console.options.update(width=10_000)).maximum)
    console.print(table)
