"""Download public data: checked, unpacked, and resumed where an earlier run stopped."""

import argparse
import sys
from pathlib import Path

from rogseg.command_line import exit_status


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    sources = parser.add_subparsers(dest="source", required=True)
    msd = sources.add_parser("msd", help="a task of the Medical Segmentation Decathlon (CC-BY-SA 4.0)")
    msd.add_argument("task", help="for instance Task09_Spleen")
    msd.add_argument("--root", type=Path, default=Path("data/raw"), help="default: data/raw")
    msd.add_argument("--keep-archive", action="store_true", help="do not delete the tar file after unpacking")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.sources import download_msd_task

    def download() -> None:
        print(download_msd_task(options.task, options.root, keep_archive=options.keep_archive))

    return exit_status("download.py", download, "stopped; the same command goes on from there")


if __name__ == "__main__":
    sys.exit(main())
