"""How long a training step waits for its data, augmentation included, and what the loader alone can give.

Phantom cases are preprocessed with the paper's plan for hippocampus and trained on by the loop, the loader and the
augmentation of ``configs/rog/rog_standard.py``; the loop itself records what it waited. The first epoch starts the
workers and is left out, as in a training of hundreds of epochs.

    python -m benchmarks.bench_data_path [--device cuda] [--threads 2] [--workers 1 2] [--steps 20] [--batches 100]
"""

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.measuring import ROOT
from benchmarks.rows import print_row
from rogseg.engine import build_runner, load_config
from rogseg.engine.training.training_data import build_train_loader
from rogseg.preprocessing import preprocess_task
from rogseg.sources import PhantomTask, write_phantom_task
from rogseg.storage import StoredTask
from rogseg.task_plan import TaskPlan

CONFIG = ROOT / "configs" / "rog" / "rog_standard.py"
PLAN = ROOT / "configs" / "_base_" / "tasks" / "hippocampus.json"
# About the cases of hippocampus; larger than its patch, so that every patch is cut out.
PHANTOM = PhantomTask("mr", (40, 56, 40), (1.0, 1.0, 1.0), modalities=("T1",), num_training=20, num_test=0)
EPOCHS = 2
MAX_WAIT = 5.0  # [% of a step]


def store_phantoms(folder: Path) -> StoredTask:
    raw = write_phantom_task(folder / "raw" / "Phantom", PHANTOM)
    plan = dataclasses.replace(TaskPlan.load(PLAN), name="Phantom")
    return preprocess_task(raw, folder / "stored" / "Phantom", plan=plan)


def train(task: StoredTask, work_dir: Path, num_workers: int, steps: int, device: str) -> dict[str, float]:
    """What the loop records of the last epoch of a short training."""
    overrides = {
        "train_cfg.max_epochs": EPOCHS,
        "train_cfg.iterations_per_epoch": steps,
        "train_data.num_workers": num_workers,
        "validation": None,
        "plateau": None,
        "device": device,
        "work_dir": str(work_dir),
    }
    config = load_config(CONFIG, overrides, task.directory)
    for hook in ("progress", "save"):  # neither a line nor a file per epoch
        del config.default_hooks[hook]
    runner = build_runner(config, task)
    runner.train()
    last: dict[str, float] = runner.train_loop.history[-1]
    return last


def patches_per_second(task: StoredTask, num_workers: int, batches: int) -> float:
    """What the loader gives to somebody who takes each mini-batch at once; the second epoch, as above."""
    config = load_config(CONFIG, {"train_data.num_workers": num_workers}, task.directory)
    loader = build_train_loader(task.directory, task.case_ids, **config.train_data, iterations_per_epoch=batches)
    rate = 0.0
    for epoch in range(EPOCHS):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        start = time.perf_counter()
        patches = sum(len(batch.inputs) for batch in loader)
        rate = patches / (time.perf_counter() - start)
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of worker processes")
    parser.add_argument("--steps", type=int, default=20, help=f"per epoch, of which there are {EPOCHS}")
    parser.add_argument("--batches", type=int, default=100, help="of the loader alone")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as name:
        task = store_phantoms(Path(name))
        batch_size = load_config(CONFIG, None, task.directory).train_data.batch_size
        print(
            f"{batch_size} patches of {task.plan.patch_size} a step, full augmentation, device {arguments.device}, "
            f"{arguments.threads} threads"
        )
        for num_workers in arguments.workers:
            label = f"{num_workers} worker{'s' if num_workers > 1 else ''}"
            rate = patches_per_second(task, num_workers, arguments.batches)
            epoch = train(task, Path(name) / f"work_{num_workers}", num_workers, arguments.steps, arguments.device)
            step = epoch["seconds"] / arguments.steps
            wait = 100 * epoch["data_wait"]
            measured = f"{wait:.2f} % of {step * 1e3:.0f} ms"
            print_row(f"a training step waits for data, {label}", measured, f"at most {MAX_WAIT:.0f} %")
            times = f"{rate:.0f} patches per second, {rate * step / batch_size:.0f} times what training takes"
            print_row(f"the loader alone, {label}", times)


if __name__ == "__main__":
    main()
