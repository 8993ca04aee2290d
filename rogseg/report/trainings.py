"""Several trainings of one recipe: the networks that a report calls ``RECIPE#TRAINING``, such as freeat#0, freeat#1."""

from collections.abc import Iterable

__all__ = ["trainings_among"]

MARK = "#"


def trainings_among(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Which networks are one of several trainings of a recipe: by name the recipe and the training, in their order."""
    parts = {name: name.rpartition(MARK)[::2] for name in names}
    marked = {name: (recipe, training) for name, (recipe, training) in parts.items() if recipe and training}
    recipes = [recipe for recipe, _ in marked.values()]
    return {name: found for name, found in marked.items() if recipes.count(found[0]) > 1}
