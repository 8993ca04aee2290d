"""The colours of lines and classes, told apart by colour-blind readers and in grey print; one for page and figures.

Source: Okabe and Ito 2008 (Color Universal Design), in another order, darkened on white and lightened on black. Classes
begin at the third colour: blue and orange belong to the perturbation, which lies over the same image.
"""

__all__ = ["CLASS_COLOURS", "LINE_COLOURS", "LINE_COLOURS_DARK", "line_of_class", "rgb"]

LINE_COLOURS = ("#0072b2", "#d55e00", "#00855f", "#b04f8c", "#a87400", "#3f8fbf", "#6b6b6b", "#8a7f00")
LINE_COLOURS_DARK = ("#5ab4ea", "#ff9150", "#3fcfa4", "#eb9fce", "#f2b63d", "#a5daf7", "#b5b5b5", "#efe35a")
CLASS_COLOURS = ("#30d5a0", "#f28fcb", "#ffcb45", "#8fd4ff", "#d0d0d0", "#efe35a")


def line_of_class(index: int) -> int:
    """Number of the line colour, counted from 1, that goes with a class, counted from 0."""
    return (index + 2) % len(LINE_COLOURS) + 1


def rgb(colour: str) -> tuple[int, int, int]:
    """``#30d5a0`` as three numbers up to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
