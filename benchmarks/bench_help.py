"""Seconds until a tool says how it is used: ``python -m benchmarks.bench_help``."""

import subprocess
import sys
import time
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[1] / "tools"


def main() -> None:
    for tool in ("train", "test", "attack"):
        start = time.perf_counter()
        subprocess.run([sys.executable, TOOLS / f"{tool}.py", "--help"], check=True, stdout=subprocess.DEVNULL)
        print(f"tools/{tool}.py --help: {time.perf_counter() - start:.2f} s (at most 2 s)")


if __name__ == "__main__":
    main()
