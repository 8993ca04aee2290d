"""``rogseg report``: from records to tables and figures."""

import argparse
from pathlib import Path

DESCRIPTION = "Merge the shards of an attack, or look at one again: table, checks on the records, figure."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The records, and where the merged ones go."""
    parser.add_argument("records", nargs="+", type=Path, help="folders that rogseg attack wrote")
    parser.add_argument("--out", type=Path, help="folder of the merged records; one folder alone needs none")


def run(options: argparse.Namespace) -> None:
    """Merge and report."""
    from rogseg.engine.attacking.reporting import merge_shards

    if options.out is None and len(options.records) > 1:
        raise ValueError("give --out for the merged records of several folders")
    merge_shards(options.records, options.out or options.records[0])
