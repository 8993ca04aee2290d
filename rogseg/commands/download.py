"""``rogseg download``: public data, checked and unpacked."""

import argparse
from pathlib import Path

DESCRIPTION = "Download public data: checked, unpacked, and resumed where an earlier run stopped."
IF_INTERRUPTED = "stopped; the same command goes on from there"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The source, and what of it."""
    sources = parser.add_subparsers(dest="source", required=True)
    msd = sources.add_parser("msd", help="a task of the Medical Segmentation Decathlon (CC-BY-SA 4.0)")
    msd.add_argument("task", help="for instance Task09_Spleen")
    msd.add_argument("--root", type=Path, default=Path("data/raw"), help="default: data/raw")
    msd.add_argument("--keep-archive", action="store_true", help="do not delete the tar file after unpacking")


def run(options: argparse.Namespace) -> None:
    """Download, and print the folder."""
    from rogseg.sources import download_msd_task

    print(download_msd_task(options.task, options.root, keep_archive=options.keep_archive))
