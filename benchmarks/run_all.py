"""Run every benchmark and write their table to docs/benchmarks.md: ``python -m benchmarks.run_all [NAME ...]``.

A benchmark is a file ``bench_<name>.py`` here that prints lines ``what: measured (bar)``; other lines are notes. Named
benchmarks replace their part of the table, the others keep theirs. One that fails keeps its old part, too, and is told
at the end.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rows import ROW

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "benchmarks.md"
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
HEAD = """# Benchmarks

Written by `make bench`. Ratios are of things measured in turn in one run; seconds are those of the machine named, and
of no other. Which bar belongs to which row stands beside it.

Every row is of the processor named, none of a GPU. Where there is one, the benchmarks of network, inference, attack,
data path and growth take `--device cuda`, for instance `python -m benchmarks.bench_rog --device cuda`, and print the
same rows of it, with the same bars.

"""


def processor() -> str:
    """The processor's name and how many of its cores are ours."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def measure(name: str) -> str:
    """Run one benchmark; gives its section."""
    start = time.perf_counter()
    command = [sys.executable, "-m", f"benchmarks.bench_{name}"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - start
    load = os.getloadavg()[1]
    notes, rows = [], ["| what | measured | bar |", "|---|---|---|"]
    for line in done.stdout.splitlines():
        found = ROW.match(line)
        if found:
            rows.append(f"| {found['what']} | {found['measured']} | {found['bar'] or ''} |")
        elif line.strip():
            notes.append(line.strip())
    when = f"{time.strftime('%Y-%m-%d')}, {processor()}, load {load:.1f}, {seconds:.0f} s"
    text = "\n".join(notes)
    return f"{when}\n\n" + (f"{text}\n\n" if text else "") + "\n".join(rows) + "\n\n"


def main() -> None:
    known = sorted(path.stem.removeprefix("bench_") for path in (ROOT / "benchmarks").glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(known)}; default: all")
    names = parser.parse_args().names or known
    for name in names:
        if name not in known:
            parser.error(f"no benchmark {name!r}; known are {', '.join(known)}")
    sections = dict(SECTION.findall(TABLE.read_text())) if TABLE.exists() else {}
    failed = []
    for position, name in enumerate(names, start=1):
        print(f"[{position}/{len(names)}] {name}", flush=True)
        try:
            sections[name] = measure(name)
        except subprocess.CalledProcessError as error:
            failed.append(name)
            print(f"{name} failed with exit status {error.returncode}", file=sys.stderr, flush=True)
            continue
        print(sections[name], flush=True)
        TABLE.parent.mkdir(exist_ok=True)
        # After each one: a run that is cut short keeps what it has.
        TABLE.write_text(HEAD + "".join(f"## {key}\n{sections[key]}" for key in sorted(sections)))
    if failed:
        raise SystemExit(f"no new rows of {', '.join(failed)}")


if __name__ == "__main__":
    main()
