"""Put several networks side by side under the same attacks on the same cases, with paired differences, in Markdown."""

import argparse
import sys

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="+", metavar="NAME=DIR", help="network and what tools/attack.py wrote")
    parser.add_argument("--measure", default="Dice", help="what is compared, by its name in the records")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.evaluation.comparison import comparison_tables
    from rogseg.evaluation.record_folder import RecordFolder

    def compare() -> None:
        reports: dict[str, list[RecordFolder]] = {}
        for entry in options.records:
            name, separator, directory = entry.partition("=")
            if not separator:
                raise ValueError(f"{entry!r} must be NAME=DIR, for instance standard=work_dirs/attack/standard")
            reports.setdefault(name, []).append(RecordFolder(directory))
        print("\n".join(table.to_markdown() for table in comparison_tables(reports, options.measure)), end="")

    return exit_status("compare.py", compare)


if __name__ == "__main__":
    sys.exit(main())
