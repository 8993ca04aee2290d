"""Several trainings of one recipe: the networks that a report calls ``RECIPE#TRAINING``, such as freeat#0, freeat#1."""

from collections.abc import Iterable

__all__ = ["MARK", "recipe_and_training", "trainings_among"]

MARK = "#"


def recipe_and_training(name: str) -> tuple[str, str]:
    """Both parts of ``RECIPE#TRAINING``; of any other name itself and nothing."""
    recipe, _, training = name.rpartition(MARK)
    return (recipe, training) if recipe and training else (name, "")


def trainings_among(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Which networks are one of several trainings of a recipe: by name the recipe and the training, in their order."""
    marked = {name: parts for name in names if (parts := recipe_and_training(name))[1]}
    recipes = [recipe for recipe, _ in marked.values()]
    return {name: found for name, found in marked.items() if recipes.count(found[0]) > 1}
