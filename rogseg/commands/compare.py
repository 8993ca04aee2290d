"""``rogseg compare``: several networks under the same attacks."""

import argparse

DESCRIPTION = (
    "Put several networks side by side: mean Dice under the same attacks on the same cases, as a Markdown table."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The records, each with the name of its network."""
    parser.add_argument("records", nargs="+", metavar="NAME=DIR", help="network and what rogseg attack wrote")


def run(options: argparse.Namespace) -> None:
    """Print the table."""
    from rogseg.evaluation.comparison import comparison_table
    from rogseg.evaluation.robustness_report import RobustnessReport

    reports: dict[str, list[RobustnessReport]] = {}
    for entry in options.records:
        name, separator, directory = entry.partition("=")
        if not separator:
            raise ValueError(f"{entry!r} must be NAME=DIR, for instance standard=work_dirs/attack/standard")
        reports.setdefault(name, []).append(RobustnessReport(directory))
    print(comparison_table(reports), end="")
