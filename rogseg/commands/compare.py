"""``rogseg compare``: evaluations of several systems on the same cases."""

import argparse

from rogseg.command_line import named_place

DESCRIPTION = (
    "Put evaluations of several systems side by side, on the same cases and under the same attacks, with paired "
    "differences, in Markdown."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The records, each with the name of its system."""
    parser.add_argument(
        "records",
        nargs="+",
        metavar="NAME=DIR",
        help="what a system is called and its records: what rogseg attack, test or corrupt wrote",
    )
    parser.add_argument("--measure", default="Dice", help="what is compared, by its name in the records")


def run(options: argparse.Namespace) -> None:
    """Print the tables."""
    from rogseg.evaluation.comparison import comparison_tables
    from rogseg.evaluation.record_folder import RecordFolder

    reports: dict[str, list[RecordFolder]] = {}
    for entry in options.records:
        name, directory = named_place(entry)
        if not name:
            raise ValueError(f"{entry!r} must be NAME=DIR, for instance standard=work_dirs/attack/standard")
        reports.setdefault(name, []).append(RecordFolder(directory))
    print("\n".join(table.to_markdown() for table in comparison_tables(reports, options.measure)), end="")
