"""Seconds until a tool says how it is used: ``python -m benchmarks.bench_help``."""

import subprocess
import sys
import time

from benchmarks.measuring import ROOT
from benchmarks.rows import print_row


def main() -> None:
    for tool in sorted((ROOT / "tools").glob("[!_]*.py")):
        start = time.perf_counter()
        subprocess.run([sys.executable, tool, "--help"], check=True, stdout=subprocess.DEVNULL)
        print_row(f"tools/{tool.name} --help", f"{time.perf_counter() - start:.2f} s", "at most 2 s")


if __name__ == "__main__":
    main()
