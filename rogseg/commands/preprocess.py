"""``rogseg preprocess``: from raw files to a stored task."""

import argparse
from pathlib import Path

DESCRIPTION = "Turn a raw task folder (layout of the MSD or of nnU-Net) into stored cases with a plan."
IF_INTERRUPTED = "stopped; the same command goes on with the cases that are missing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From where, where to, and by which plan."""
    parser.add_argument("raw_task_dir", type=Path, help="folder with dataset.json, imagesTr and labelsTr")
    parser.add_argument("--out", type=Path, required=True, help="folder of the stored task, e.g. data/stored/<name>")
    parser.add_argument("--num-workers", type=int, default=1, help="number of processes (default: 1)")
    parser.add_argument("--plan", type=Path, help="a plan.json to use; else the shipped one of an MSD task, else a new")


def run(options: argparse.Namespace) -> None:
    """Choose the plan, preprocess, and say what came out."""
    from rogseg.preprocessing import choose_plan, preprocess_task
    from rogseg.shipped_configs import shipped_folder

    shipped_plans = shipped_folder("configs") / "_base_" / "tasks"
    plan, origin = choose_plan(options.raw_task_dir, options.plan, shipped_plans)
    print(f"plan: {origin}", flush=True)
    task = preprocess_task(options.raw_task_dir, options.out, num_workers=options.num_workers, plan=plan)
    print(
        f"{len(task.case_ids)} cases in {task.directory}\n"
        f"patch {task.plan.patch_size}, window {task.plan.window_size}, strides {task.plan.strides}, "
        f"spacing {task.plan.spacing} mm, intensities {task.plan.intensity_source}"
    )
