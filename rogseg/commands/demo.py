"""``rogseg demo``: the whole job on a generated task."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

DESCRIPTION = "The whole job on a generated task: phantoms, preprocessing, training, segmentation, attack, report."

CONFIG = "rog_standard_demo"
# Small volumes, so that all of it takes a few minutes on two cores; the phantoms are synthetic and so are the results.
PHANTOMS = ["--kind", "ct", "--shape", "40", "40", "28", "--training", "12", "--test", "1"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where results go."""
    parser.add_argument("--out", type=Path, default=Path("work_dirs/demo"), help="default: work_dirs/demo")


def steps(out: Path) -> list[tuple[str, list[str]]]:
    """What is done, as titles and arguments of ``rogseg``."""
    raw, stored, trained = str(out / "raw" / "Phantom"), str(out / "stored" / "Phantom"), str(out / "training")
    model = [CONFIG, str(out / "training" / "best.pth"), "--task", stored]
    attack = ["--attack", "apgd_ce", "--attack-options", "attack.num_iterations=5"]
    attack += ["--epsilon", "2/255", "8/255", "--max-cases", "2", "--save-adversarial"]
    return [
        ("generate phantoms", ["phantom", raw, *PHANTOMS]),
        ("preprocess", ["preprocess", raw, "--out", stored, "--num-workers", "2"]),
        ("train", ["train", CONFIG, "--task", stored, "--work-dir", trained]),
        ("segment the validation cases", ["test", *model, "--data", raw, "--out", str(out / "test")]),
        ("attack two validation cases", ["attack", *model, *attack, "--out", str(out / "attack")]),
        ("report", ["report", str(out / "test"), str(out / "attack"), "--out", str(out / "report")]),
    ]


def run(options: argparse.Namespace) -> None:
    """Run the commands one after the other as a user would.

    Raises:
        ValueError: one of them failed.
    """
    begin = time.perf_counter()
    todo = steps(options.out)
    for number, (title, command) in enumerate(todo, start=1):
        print(f"\n== {number}/{len(todo)}: {title}\n$ rogseg {' '.join(command)}", flush=True)
        status = subprocess.run([sys.executable, "-m", "rogseg", *command], check=False).returncode
        if status:
            raise ValueError(f"{title} failed with exit status {status}")
    print(f"\ndone in {time.perf_counter() - begin:.0f} s; look at")
    for path in [*options.out.resolve().glob("report/*.html"), *sorted(options.out.resolve().glob("*/*.png"))]:
        print(f"  {path}")
