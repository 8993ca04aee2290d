"""``rogseg download``: public data and networks, checked."""

import argparse
from pathlib import Path

DESCRIPTION = "Download public data or a network of a model zoo: checked, and resumed where an earlier run stopped."
IF_INTERRUPTED = "stopped; the same command goes on from there"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The source, and what of it."""
    sources = parser.add_subparsers(dest="source", required=True)
    msd = sources.add_parser("msd", help="a task of the Medical Segmentation Decathlon (CC-BY-SA 4.0)")
    msd.add_argument("task", help="for instance Task09_Spleen")
    msd.add_argument("--root", type=Path, default=Path("data/raw"), help="default: data/raw")
    msd.add_argument("--keep-archive", action="store_true", help="do not delete the tar file after unpacking")
    zoo = sources.add_parser("zoo", help="a network of a model zoo, which is then known by its name")
    zoo.add_argument("name", help="in the index of that zoo")
    zoo.add_argument(
        "--from",
        dest="where",
        metavar="ADDRESS",
        help="http address or folder of the zoo (default: the environment's ROGSEG_ZOO)",
    )


def run(options: argparse.Namespace) -> None:
    """Download, and print the folder or file."""
    if options.source == "zoo":
        from rogseg.engine.model.zoo_download import download_zoo_model

        print(download_zoo_model(options.name, options.where).checkpoint)
        return
    from rogseg.sources import download_msd_task

    print(download_msd_task(options.task, options.root, keep_archive=options.keep_archive))
