"""Merge the shards of an attack, or look at one again: table, checks on the records, figure."""

import argparse
import sys
from pathlib import Path


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="+", type=Path, help="folders that tools/attack.py wrote")
    parser.add_argument("--out", type=Path, help="folder of the merged records; one folder alone needs none")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    if options.out is None and len(options.records) > 1:
        print("report.py: give --out for the merged records of several folders", file=sys.stderr)
        return 2
    from rogseg.engine.attack_reporting import merge_shards

    try:
        merge_shards(options.records, options.out or options.records[0])
    except ValueError as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
