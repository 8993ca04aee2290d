"""``rogseg zoo``: the networks that come with rogseg."""

import argparse
from pathlib import Path

DESCRIPTION = "Write model_zoo.md from the index and the records of the model zoo; with --add, put a network in first."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The zoo, its page, and what to add."""
    parser.add_argument("--zoo", type=Path, help="folder with index.json and records/; default: the one of rogseg")
    parser.add_argument("--out", type=Path, help="the page (default: model_zoo.md beside the zoo)")
    parser.add_argument(
        "--add",
        nargs=3,
        metavar=("NAME", "CONFIG", "CHECKPOINT"),
        help="put a network in, in place of one so named",
    )


def run(options: argparse.Namespace) -> None:
    """Add, where asked, and write the page."""
    from rogseg.evaluation.zoo_page import zoo_page
    from rogseg.shipped_configs import find_config, shipped_folder

    zoo = options.zoo or shipped_folder("model_zoo")
    if options.add is not None:
        from rogseg.engine.model.zoo_entry import add_to_zoo

        name, config, checkpoint = options.add
        add_to_zoo(name, find_config(config, "network"), checkpoint, zoo)
    (options.out or zoo.parent / "model_zoo.md").write_text(zoo_page(zoo))
