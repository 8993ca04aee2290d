"""``rogseg demo``: the whole job on a generated task."""

import argparse
from pathlib import Path

IF_INTERRUPTED = "stopped; the same command goes on with the step that was running"
DESCRIPTION = "The whole job on a generated task: phantoms, preprocessing, training, segmentation, attack, report."

CONFIG = "rog_standard_demo"
# Small volumes, so that all of it takes a few minutes on two cores; the phantoms are synthetic and so are the results.
PHANTOMS = ["--kind", "ct", "--shape", "40", "40", "28", "--training", "12", "--test", "1"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where results go."""
    parser.add_argument("--out", type=Path, default=Path("work_dirs/demo"), help="default: work_dirs/demo")


def steps(out: Path) -> dict[str, list[str]]:
    """What is done, as arguments of ``rogseg``."""
    raw, stored, trained = str(out / "raw" / "Phantom"), str(out / "stored" / "Phantom"), str(out / "training")
    model = [CONFIG, str(out / "training" / "best.pth"), "--task", stored]
    attack = ["--attack", "apgd_ce", "--attack-options", "attack.num_iterations=5"]
    attack += ["--epsilon", "2/255", "8/255", "--max-cases", "2", "--save-adversarial"]
    return {
        "generate phantoms": ["phantom", raw, *PHANTOMS],
        "preprocess": ["preprocess", raw, "--out", stored, "--num-workers", "2"],
        "train": ["train", CONFIG, "--task", stored, "--work-dir", trained, "--resume"],
        "segment the validation cases": ["test", *model, "--data", raw, "--out", str(out / "test")],
        "attack two validation cases": ["attack", *model, *attack, "--out", str(out / "attack")],
        "report": ["report", str(out / "test"), str(out / "attack"), "--out", str(out / "report")],
    }


def run(options: argparse.Namespace) -> None:
    """Run the commands one after the other as a user would.

    Raises:
        ValueError: one of them failed.
    """
    from rogseg.engine.study.run_study import run_steps

    done = run_steps(steps(options.out), options.out)
    print(f"\ndone in {sum(step.seconds for step in done.values()):.0f} s; look at")
    for path in [*options.out.resolve().glob("report/*.html"), *sorted(options.out.resolve().glob("*/*.png"))]:
        print(f"  {path}")
