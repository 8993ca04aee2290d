"""Write model_zoo.md from the index and the records of the model zoo."""

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
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Parse and call."""
    options = build_parser().parse_args(arguments)
    from rogseg.evaluation.zoo_page import zoo_page

    return exit_status("zoo.py", lambda: options.out.write_text(zoo_page(options.zoo)))


if __name__ == "__main__":
    sys.exit(main())
