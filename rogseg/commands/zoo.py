"""``rogseg zoo``: the networks that come with rogseg."""

import argparse
from pathlib import Path

MAX_BYTES = 1 << 26  # of a page
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
    parser.add_argument("--half", action="store_true", help="with --add: store its weights in float16, half the size")


def run(options: argparse.Namespace) -> None:
    """Add, where asked, and write the page."""
    from rogseg.engine.model.zoo_page import zoo_page
    from rogseg.foreign import read_regular
    from rogseg.shipped_configs import find_config, shipped_folder
    from rogseg.storage import write_bytes_atomic

    zoo = options.zoo or shipped_folder("model_zoo")
    if options.add is not None:
        from rogseg.engine.model.zoo_entry import add_to_zoo

        name, config, checkpoint = options.add
        add_to_zoo(name, find_config(config, "network"), checkpoint, zoo, half=options.half)
    elif options.half:
        raise ValueError("--half says how --add stores weights; give --add, or leave it out")
    path, page = options.out or zoo.parent / "model_zoo.md", zoo_page(zoo)
    if path.exists() and not read_regular(path, MAX_BYTES).decode(errors="replace").startswith(page.splitlines()[0]):
        raise ValueError(f"{path}: is no page of a model zoo, and would be written over; give another --out")
    write_bytes_atomic(path, page.encode())
