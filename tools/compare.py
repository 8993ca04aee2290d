"""Put several networks side by side: mean Dice under the same attacks on the same cases, as a Markdown table."""

import argparse
import sys

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="+", metavar="NAME=DIR", help="network and what tools/attack.py wrote")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.evaluation.comparison import comparison_table
    from rogseg.evaluation.robustness_report import RobustnessReport

    def compare() -> None:
        reports: dict[str, list[RobustnessReport]] = {}
        for entry in options.records:
            name, separator, directory = entry.partition("=")
            if not separator:
                raise ValueError(f"{entry!r} must be NAME=DIR, for instance standard=work_dirs/attack/standard")
            reports.setdefault(name, []).append(RobustnessReport(directory))
        print(comparison_table(reports), end="")

    return exit_status("compare.py", compare)


if __name__ == "__main__":
    sys.exit(main())
