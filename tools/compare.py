"""Put several networks side by side: mean Dice under the same attacks on the same cases, as a Markdown table."""

import argparse
import sys


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

    reports: dict[str, list[RobustnessReport]] = {}
    try:
        for entry in options.records:
            name, separator, directory = entry.partition("=")
            if not separator:
                raise ValueError(f"{entry!r} must be NAME=DIR, for instance standard=work_dirs/attack/standard")
            reports.setdefault(name, []).append(RobustnessReport(directory))
        print(comparison_table(reports), end="")
    except ValueError as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
