"""The colours of lines and classes, told apart by colour-blind readers and in grey print; one for page and figures.

Source: Okabe and Ito 2008 (Color Universal Design), in another order, darkened on white and lightened on black. Classes
begin at the third colour: blue and orange belong to the perturbation, which lies over the same image.
"""

__all__ = ["CLASS_COLOURS", "LINE_COLOURS", "LINE_COLOURS_DARK", "ink_on", "line_of_class", "map_colour", "rgb"]

LINE_COLOURS = ("#0072b2", "#d55e00", "#00855f", "#b04f8c", "#a87400", "#3f8fbf", "#6b6b6b", "#8a7f00")
LINE_COLOURS_DARK = ("#5ab4ea", "#ff9150", "#3fcfa4", "#eb9fce", "#f2b63d", "#a5daf7", "#b5b5b5", "#efe35a")
CLASS_COLOURS = ("#30d5a0", "#f28fcb", "#ffcb45", "#8fd4ff", "#d0d0d0", "#efe35a")


MAP_COLOURS = ("#00224e", "#434e6c", "#7d7c78", "#bcae6c", "#fee838")
"""Of a map, from 0 to 1 in equal steps: matplotlib's cividis, made for colour-blind readers (Nunez et al. 2018)."""
DARK_TO = 0.55
"""Up to this value a colour of the map is so dark that a number on it is white."""


def map_colour(value: float) -> str:
    """The colour of a value between 0 and 1 in a map."""
    place = min(max(value, 0.0), 1.0) * (len(MAP_COLOURS) - 1)
    index = min(int(place), len(MAP_COLOURS) - 2)
    pairs = zip(rgb(MAP_COLOURS[index]), rgb(MAP_COLOURS[index + 1]), strict=True)
    return "#" + "".join(f"{round(low + (high - low) * (place - index)):02x}" for low, high in pairs)


def ink_on(value: float) -> str:
    """The colour of a number that stands on `map_colour`."""
    return "#ffffff" if value < DARK_TO else "#1d2125"


def line_of_class(index: int) -> int:
    """Number of the line colour, counted from 1, that goes with a class, counted from 0."""
    return (index + 2) % len(LINE_COLOURS) + 1


def rgb(colour: str) -> tuple[int, int, int]:
    """``#30d5a0`` as three numbers up to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
