"""Write model_zoo.md from the index and the records of the model zoo; with --add, put a network into it first."""

import argparse
import sys
from pathlib import Path

from rogseg.command_line import exit_status

ROOT = Path(__file__).resolve().parents[1]


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, default=ROOT / "model_zoo", help="folder with index.json and records/")
    parser.add_argument("--out", type=Path, default=ROOT / "model_zoo.md")
    parser.add_argument(
        "--add",
        nargs=3,
        metavar=("NAME", "CONFIG", "CHECKPOINT"),
        help="put a network in, in place of one so named",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.evaluation.zoo_page import zoo_page

    def write() -> None:
        if options.add is not None:
            from rogseg.engine.model.zoo_entry import add_to_zoo

            name, config, checkpoint = options.add
            add_to_zoo(name, config, checkpoint, options.zoo)
        options.out.write_text(zoo_page(options.zoo))

    return exit_status("zoo.py", write)


if __name__ == "__main__":
    sys.exit(main())
