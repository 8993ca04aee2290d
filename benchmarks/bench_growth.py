"""How the time per case grows with its volume, for preprocessing, inference and an attack; writes docs/growth.png.

Volumes of 1, 2, 4 and 8 times the smallest, which grow along one axis as a scan does by further slices: so their rim
grows along, and an exponent over 1 is not the geometry's. The exponent is the slope of the line fitted to logarithms.

    python -m benchmarks.bench_growth [--device cuda] [--threads 2] [--iterations 3] [--rounds 2] [--figure FILE]
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from matplotlib import pyplot

from benchmarks.bench_inference import OVERLAP, PLAN, make_inputs, make_network
from benchmarks.measuring import ROOT, fastest
from benchmarks.rows import print_row
from rogseg.attacks import APGD, DiceBelow, LinfThreat
from rogseg.cases import IntensityBox
from rogseg.inference import VolumeLogits
from rogseg.preprocessing import preprocess_case
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import read_raw_task, write_stored_case
from rogseg.task_plan import TaskPlan, Triple

FACTORS = (1, 2, 4, 8)
WINDOW: Triple = (16, 24, 16)
FIRST_LENGTH = 72  # 8 windows at half overlap; the other axes are those of the window
CT: Triple = (160, 160, 32)
MAX_EXPONENT = 1.2


def preprocessing(folder: Path, factor: int) -> Callable[[], object]:
    """Read, resample, normalise and store a phantom CT, as tools/preprocess.py does."""
    task = PhantomTask("ct", (*CT[:2], CT[2] * factor), (0.7, 0.7, 1.25), num_training=1, num_test=0, spacing_jitter=0)
    (case,) = read_raw_task(write_phantom_task(folder / f"raw_{factor}", task)).training
    plan = TaskPlan.load(ROOT / "configs" / "_base_" / "tasks" / "liver.json")
    return lambda: write_stored_case(folder / "stored", *preprocess_case(case.images, plan, case.label, "case"))


def whole_volume(device: str, iterations: int, factor: int) -> tuple[Callable[[], object], Callable[[], object], int]:
    """Inference of a volume, APGD on it, and its number of windows."""
    plan = TaskPlan.load(PLAN)
    volume_logits = VolumeLogits(make_network(plan, device), WINDOW, OVERLAP)
    inputs = make_inputs(plan, (FIRST_LENGTH * factor, *WINDOW[1:]), device)
    targets = torch.randint(plan.num_classes, (1, *inputs.shape[2:]), generator=torch.Generator().manual_seed(2))
    threat = LinfThreat.from_fraction(8 / 255, IntensityBox.per_channel([0.0], [1.0]))
    apgd = APGD(num_iterations=iterations)

    def infer() -> None:
        with torch.no_grad():
            volume_logits(inputs)

    def attack() -> None:
        generator = torch.Generator().manual_seed(3)
        apgd(volume_logits, inputs, targets.to(device), threat, DiceBelow(0.4), generator=generator)

    return infer, attack, len(volume_logits.grid(inputs.shape[2:]).indices)


def exponent(times: list[float]) -> float:
    slope, _ = np.polyfit(np.log(FACTORS), np.log(times), 1)
    return float(slope)


def draw(curves: dict[str, list[float]], path: Path) -> None:
    """The curves on logarithmic axes, each with the line that it would follow if time were proportional to volume."""
    figure, axes = pyplot.subplots(figsize=(6, 4.5), layout="constrained")
    for (name, times), marker in zip(curves.items(), "os^", strict=True):
        label = f"{name}, exponent {exponent(times):.2f}"
        (line,) = axes.loglog(FACTORS, times, marker=marker, label=label)
        axes.loglog(FACTORS, [times[0] * factor for factor in FACTORS], ":", color=line.get_color(), linewidth=1)
    axes.loglog([], [], ":", color="gray", linewidth=1, label="proportional to the volume")
    axes.set_xticks(FACTORS, [str(factor) for factor in FACTORS])
    axes.minorticks_off()
    axes.set(xlabel="volume [times the smallest]", ylabel="time per case [s]", title="Time per case against volume")
    figure.legend(loc="outside lower center", ncols=2)  # the axes are full
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--iterations", type=int, default=3, help="of APGD")
    parser.add_argument("--rounds", type=int, default=2, help="of preprocessing and inference; the attack runs once")
    parser.add_argument("--figure", type=Path, default=ROOT / "docs" / "growth.png")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device, rounds = arguments.device, arguments.rounds
    attack_name = f"APGD ({arguments.iterations} iterations)"
    curves: dict[str, list[float]] = {"preprocessing": [], "inference": [], attack_name: []}
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        for factor in FACTORS:
            infer, attack, windows = whole_volume(device, arguments.iterations, factor)
            counts.append(str(windows))
            times = (
                *fastest([preprocessing(Path(folder), factor)], "cpu", rounds),
                *fastest([infer], device, rounds),
                *fastest([attack], device, 1, warm=factor == FACTORS[0]),
            )
            for curve, time in zip(curves.values(), times, strict=True):
                curve.append(time)
    for name, curve in curves.items():
        measured = f"{curve[0]:.2f} s to {curve[-1]:.2f} s, exponent {exponent(curve):.2f}"
        print_row(f"growth of {name}", measured, f"at most {MAX_EXPONENT}")
    draw(curves, arguments.figure)
    print(f"Volumes are {', '.join(map(str, FACTORS))} times the smallest; inference and attack see")
    print(f"{', '.join(counts)} windows of {WINDOW}.")
    print(f"![time per case against volume]({arguments.figure.name})")


if __name__ == "__main__":
    main()
