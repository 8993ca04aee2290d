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
    """Mean Dice with its 95% bootstrap interval as a Markdown table: a row per attack, a column per network.

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
    rows: dict[str, dict[str, str]] = {}
    for name, of_one in reports.items():
        for report in of_one:
            for attack, cell in _cells(report).items():
                if rows.setdefault(attack, {}).setdefault(name, cell) != cell:
                    raise ValueError(f"{report.directory}: {name} has another value for {attack!r} already")
    lines = [["mean Dice under", *reports], ["---"] * (len(reports) + 1)]
    lines += [[attack, *(of_network.get(name, "-") for name in reports)] for attack, of_network in rows.items()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cells(report: RobustnessReport) -> dict[str, str]:
    identity = report.header["identity"]
    steps = identity["attack"].get("num_iterations")
    is_ensemble = len(report.attacks()) > 1
    cells = {}
    for row in summarise_all(report):
        lower, upper = bootstrap_interval(row.dice)
        attack = CLEAN
        if row.attack != CLEAN:
            epsilon = (
                f"{row.epsilon * 255:.3g}/255" if identity["threat"]["unit"] == "fraction" else f"{row.epsilon:.3g}"
            )
            # Of an ensemble each row names the ensemble, whose config says each member's budget.
            detail = f" of {identity['attack_name']}" if is_ensemble else f", {steps} iterations" if steps else ""
            attack = f"{row.attack}{detail}, {epsilon}"
        cells[attack] = f"{row.mean_dice:.3f} [{lower:.3f}, {upper:.3f}]"
    return cells
