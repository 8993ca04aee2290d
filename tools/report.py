"""Merge the shards of an attack, or look at one again: table, checks on the records, figure."""

import argparse
import sys
from pathlib import Path

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="+", type=Path, help="folders that tools/attack.py wrote")
    parser.add_argument("--out", type=Path, help="folder of the merged records; one folder alone needs none")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.engine.attacking.attack_reporting import merge_shards

    def merge() -> None:
        if options.out is None and len(options.records) > 1:
            raise ValueError("give --out for the merged records of several folders")
        merge_shards(options.records, options.out or options.records[0])

    return exit_status("report.py", merge)


if __name__ == "__main__":
    sys.exit(main())
