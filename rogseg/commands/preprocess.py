"""``rogseg preprocess``: from raw files to a stored task."""

import argparse
from pathlib import Path

from rogseg.argument_parser import whole

DESCRIPTION = "Turn a raw task folder (layout of the MSD or of nnU-Net) into stored cases with a plan."
IF_INTERRUPTED = "stopped; the same command goes on with the cases that are missing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From where, where to, and by which plan."""
    parser.add_argument("raw_task_dir", type=Path, help="folder with dataset.json, imagesTr and labelsTr")
    parser.add_argument("--out", type=Path, required=True, help="folder of the stored task, e.g. data/stored/<name>")
    parser.add_argument("--num-workers", type=whole(1), default=1, help="number of processes (default: 1)")
    parser.add_argument(
        "--plan",
        type=Path,
        help="a plan.json to use; else the one that --out was made with, the shipped one of an MSD task, or a new one",
    )
    parser.add_argument("--spacing", type=float, nargs=3, metavar="MM", help="of the network's grid, x y z [mm]")
    parser.add_argument("--patch-size", type=int, nargs=3, metavar="N", help="of training and window, x y z [voxels]")
    parser.add_argument(
        "--percentiles",
        type=float,
        nargs=2,
        metavar="P",
        help="of each MR case that become 0 and 1 in place of its darkest and brightest voxel, such as 0.5 99.5",
    )
    parser.add_argument("--max-memory", help="of a training step, such as 8GB: patches are made small enough for it")


def run(options: argparse.Namespace) -> None:
    """Choose the plan, preprocess, and say what came out."""
    from rogseg.preprocessing import PlanWishes, choose_plan, preprocess_task
    from rogseg.shipped_configs import shipped_plans

    plan, origin = choose_plan(options.raw_task_dir, options.plan, shipped_plans(), options.out)
    print(f"plan: {origin}", flush=True)
    fits = None
    if options.max_memory is not None:
        from rogseg.engine.costs.plan_fits import fits_memory

        fits = fits_memory(options.max_memory)
    given = (options.spacing, options.patch_size, options.percentiles)
    spacing, patch, percentiles = (None if wish is None else tuple(wish) for wish in given)
    task = preprocess_task(
        options.raw_task_dir,
        options.out,
        num_workers=options.num_workers,
        plan=plan,
        wishes=PlanWishes(spacing, patch, percentiles, fits),
    )
    print(
        f"{len(task.case_ids)} cases in {task.directory}\n"
        f"patch {task.plan.patch_size}, window {task.plan.window_size}, strides {task.plan.strides}, "
        f"spacing {task.plan.spacing} mm, intensities {task.plan.intensity_source}"
    )
