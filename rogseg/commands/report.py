"""``rogseg report``: from records to a page, figures and tables."""

import argparse
from pathlib import Path

DESCRIPTION = "Report on evaluations: a page that opens from disk, figures and tables; shards of one are merged first."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The records, and where the report goes."""
    parser.add_argument(
        "records", nargs="+", metavar="[NAME=]DIR", help="folders that rogseg attack, corrupt or test wrote"
    )
    parser.add_argument("--out", type=Path, help="folder of the report; one folder of records alone needs none")
    parser.add_argument(
        "--common-cases", action="store_true", help="report on those cases alone that all of the evaluations have done"
    )
    parser.add_argument(
        "--evidence", action="store_true", help="also write all that stands behind the page, to be handed on"
    )


def run(options: argparse.Namespace) -> None:
    """Merge shards where there are any, and report."""
    from rogseg.engine.reporting import report_on

    report_on(options.records, options.out, common_cases=options.common_cases, evidence=options.evidence)
