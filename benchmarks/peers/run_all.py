"""Run every comparison with peers and write docs/peers.md.

    python -m benchmarks.peers.run_all --data RAW_HIPPOCAMPUS --task STORED_HIPPOCAMPUS [--folder TRAINED_NNUNET]

What is not installed, or was not named, is left out and said so.
"""

import argparse
import ast
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.peers.rows import PEER_ROW
from benchmarks.run_all import ROOT, processor

PARTS = ["attacks", "windows", "nnunet", "training"]
PAGE = ROOT / "docs" / "peers.md"
HEAD = """# Side by side with peers

Written by `make bench-peers`. A ratio is ours over the peer's, measured in turn in one run on the machine that is
named: under 1 is less time, memory or Dice left than the peer's. Seconds are those of that machine and of no other. The
peers and their versions stand in `requirements/peers.txt`.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="raw folder of Task04_Hippocampus")
    parser.add_argument("--task", type=Path, required=True, help="the same, stored")
    parser.add_argument("--folder", type=Path, help="a trained nnU-Net of it")
    parser.add_argument("--checkpoint", default="checkpoint_final.pth")
    parser.add_argument("--cases", type=int, default=52)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the other parts of the page stay")
    asked = parser.parse_args()
    nnunet = ["--data", str(asked.data), "--cases", str(asked.cases), "--checkpoint", asked.checkpoint]
    nnunet += [] if asked.folder is None else ["--folder", str(asked.folder)]
    commands = {
        "attacks": ["benchmarks.peers.attacks", "--task", str(asked.task)],
        "windows": ["benchmarks.peers.windows"],
        "nnunet": ["benchmarks.peers.nnunet", *nnunet],
        "training": ["benchmarks.peers.training", *([] if asked.folder is None else ["--folder", str(asked.folder)])],
    }
    parts, failed = _parts_of(asked.page.read_text()), []
    for name in asked.only:
        (module, *options), others, begin = commands[name], _others_running(), time.perf_counter()
        done = subprocess.run([sys.executable, "-m", module, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            failed.append(name)
        parts[name] = _part(module, options, done.stdout, time.perf_counter() - begin, others)
        print(parts[name], flush=True)
        # After each one: a run that is cut short keeps what it has.
        asked.page.write_text(HEAD + "\n".join(parts[name] for name in PARTS if name in parts))
    if failed:
        raise SystemExit(f"not whole: {', '.join(failed)}")


def _parts_of(page: str) -> dict[str, str]:
    """The parts that a page has, by name."""
    sections = page.split("\n## ")[1:]
    return {name: f"## {section.rstrip()}\n" for section in sections if (name := section.split("\n")[0]) in PARTS}


def _others_running() -> float:
    """How many other threads want a processor at a time, over two seconds."""
    counts = []
    for _ in range(40):
        time.sleep(0.05)
        counts.append(int(Path("/proc/loadavg").read_text().split()[3].split("/")[0]) - 1)
    return sum(counts) / len(counts)


def _part(module: str, options: list[str], output: str, seconds: float, others: float) -> str:
    rows = ["| work | times, memory or Dice | ratio | aim |", "|---|---|---|---|"]
    notes = []
    for line in output.splitlines():
        found = PEER_ROW.match(line)
        if found:
            rows.append(f"| {found['cells']} |")
        elif line.strip():
            notes.append(line.strip())
    # Where files lie on this machine says nothing to others.
    command = shlex.join(["python", "-m", module, *(Path(word).name if "/" in word else word for word in options)])
    is_quiet = others < 0.25 * (os.cpu_count() or 1)
    quiet = "" if is_quiet else "; other work ran at the same time, so these are no measurements"
    machine = f"{processor()}, {others:.1f} other threads running before"
    when = f"{time.strftime('%Y-%m-%d')}, {machine}, {seconds:.0f} s{quiet}"
    about = ast.get_docstring(ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())) or ""
    about = "\n\n".join(part for part in about.split("\n\n") if not part.startswith("    "))
    told = "".join(f"- {note}\n" for note in notes)
    title = module.rpartition(".")[2]
    return f"## {title}\n\n{about}\n\n`{command}`\n\n{when}\n\n" + "\n".join(rows) + f"\n\n{told}"


if __name__ == "__main__":
    main()
