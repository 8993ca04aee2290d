"""The whole job on a generated task: phantoms, preprocessing, training, segmentation, attack, figures."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = "configs/rog/rog_standard_demo.py"
# Small volumes, so that all of it takes a few minutes on two cores; the phantoms are synthetic and so are the results.
PHANTOMS = ["--kind", "ct", "--shape", "40", "40", "28", "--training", "12", "--test", "1"]


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("work_dirs/demo"), help="default: work_dirs/demo")
    return parser


def steps(out: Path) -> list[tuple[str, list[str]]]:
    """What is done, as titles and command lines below tools/."""
    raw, stored, trained = str(out / "raw" / "Phantom"), str(out / "stored" / "Phantom"), str(out / "training")
    model = [CONFIG, str(out / "training" / "best.pth"), "--task", stored]
    attack = ["--attack", "configs/attack/apgd_ce.py", "--attack-options", "attack.num_iterations=5"]
    attack += ["--epsilon", "2/255", "8/255", "--max-cases", "2", "--save-adversarial"]
    return [
        ("generate phantoms", ["make_phantom.py", raw, *PHANTOMS]),
        ("preprocess", ["preprocess.py", raw, "--out", stored, "--num-workers", "2"]),
        ("train", ["train.py", CONFIG, "--task", stored, "--work-dir", trained]),
        ("segment the validation cases", ["test.py", *model, "--raw", raw, "--out", str(out / "test")]),
        ("attack two validation cases", ["attack.py", *model, *attack, "--out", str(out / "attack")]),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Parse, and run the tools one after the other as a user would."""
    out: Path = build_parser().parse_args(arguments).out
    begin = time.perf_counter()
    todo = steps(out)
    for number, (title, command) in enumerate(todo, start=1):
        print(f"\n== {number}/{len(todo)}: {title}\n$ python tools/{' '.join(command)}", flush=True)
        finished = subprocess.run(
            [sys.executable, str(ROOT / "tools" / command[0]), *command[1:]], check=False, cwd=ROOT
        )
        if finished.returncode:
            print(f"demo.py: {title} failed with exit status {finished.returncode}", file=sys.stderr)
            return finished.returncode
    print(f"\ndone in {time.perf_counter() - begin:.0f} s; look at")
    for path in sorted(out.resolve().rglob("*.png")):
        print(f"  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
