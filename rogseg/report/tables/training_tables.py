"""The tables over several trainings of a recipe: its own values, and what it has over another recipe."""

from collections.abc import Sequence

from rogseg.report.contents import Contents
from rogseg.report.tables.table import Cell, ReportTable
from rogseg.report.views.networks import Comparison
from rogseg.report.views.trainings import differences_over_trainings, differing_trainings, values_over_trainings

__all__ = ["training_tables"]

OF_MEANS = (
    "Mean over the trainings of a recipe of the mean over cases, at an epsilon of the worst case; least and most are "
    "of one training each."
)
OF_DIFFERENCES = (
    "Trainings of the same number are compared, on the same cases. Where least and most have one sign, all trainings "
    "agree on which recipe is better; a few trainings carry no interval."
)


def training_tables(
    contents: Contents, compared: Sequence[Comparison], notes: Sequence[str]
) -> tuple[ReportTable, ...]:
    """Both tables; without rows where no recipe has several trainings."""
    values: list[tuple[Cell, ...]] = [
        (v.recipe, v.norm or None, v.label, len(v.means), v.cases, v.mean, v.least, v.most)
        for v in values_over_trainings(contents)
    ]
    differences: list[tuple[Cell, ...]] = [
        (d.recipe, d.minus, d.norm or None, d.label, len(d.means), d.cases, d.mean, d.least, d.most)
        for d in differences_over_trainings(contents, compared)
    ]
    notes = (*notes, *differing_trainings(contents))
    shared, measure = ("norm", "epsilon", "trainings", "cases"), contents.primary
    return (
        ReportTable(
            "trainings",
            f"{contents.title}: over several trainings",
            ("recipe", *shared, f"mean {measure.heading}", "least", "most"),
            tuple(values),
            (*notes, OF_MEANS),
        ),
        ReportTable(
            "training_differences",
            f"{contents.title}: recipes against each other, over several trainings",
            ("recipe", "minus", *shared, f"difference of {measure.compared}", "least", "most"),
            tuple(differences),
            (*notes, OF_DIFFERENCES),
        ),
    )
