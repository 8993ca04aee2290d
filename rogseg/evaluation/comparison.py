"""Several networks under the same attacks on the same cases, side by side."""

from collections.abc import Mapping, Sequence

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.robustness_report import RobustnessReport
from rogseg.evaluation.robustness_summary import summarise_all
from rogseg.metrics import bootstrap_interval

__all__ = ["comparison_table"]

# What must agree for two networks to be compared; checkpoint, config and attack may differ.
SHARED = ("task", "threat", "protocol", "cases", "overlap")


def comparison_table(reports: Mapping[str, Sequence[RobustnessReport]]) -> str:
    """Mean Dice with its 95% bootstrap interval as a Markdown table: a row per network, a column per attack.

    Args:
        reports: by the network's name, one report per attack.

    Raises:
        ValueError: the reports differ in task, threat model, protocol or cases; or a network has two values for one
            attack.
    """
    everything = [report for of_one in reports.values() for report in of_one]
    for report in everything[1:]:
        for key in SHARED:
            if report.header["identity"][key] != everything[0].header["identity"][key]:
                raise ValueError(
                    f"{report.directory} and {everything[0].directory} differ in {key}, so their numbers do not "
                    "compare; evaluate both in the same way"
                )
    columns: dict[str, None] = {}
    cells: dict[str, dict[str, str]] = {name: {} for name in reports}
    for name, of_one in reports.items():
        for report in of_one:
            for column, cell in _cells(report).items():
                if cells[name].setdefault(column, cell) != cell:
                    raise ValueError(f"{report.directory}: {name} has another value for {column!r} already")
                columns[column] = None
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *(cells[name].get(column, "-") for column in columns)] for name in cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cells(report: RobustnessReport) -> dict[str, str]:
    identity = report.header["identity"]
    steps = identity["attack"].get("num_iterations")
    cells = {}
    for row in summarise_all(report):
        lower, upper = bootstrap_interval(row.dice)
        column = CLEAN
        if row.attack != CLEAN:
            epsilon = (
                f"{row.epsilon * 255:.3g}/255" if identity["threat"]["unit"] == "fraction" else f"{row.epsilon:.3g}"
            )
            column = f"{row.attack}{f', {steps} iterations' if steps else ''}, {epsilon}"
        cells[column] = f"{row.mean_dice:.3f} [{lower:.3f}, {upper:.3f}]"
    return cells
