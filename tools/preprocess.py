"""Turn a raw task folder (layout of the MSD or of nnU-Net) into stored cases with a plan."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw_task_dir", type=Path, help="folder with dataset.json, imagesTr and labelsTr")
    parser.add_argument("--out", type=Path, required=True, help="folder of the stored task, e.g. data/stored/<name>")
    parser.add_argument("--num-workers", type=int, default=1, help="number of processes (default: 1)")
    parser.add_argument("--plan", type=Path, help="a plan.json to use; else the shipped one of an MSD task, else a new")
    return parser.parse_args()


def main() -> None:
    """Preprocess a task."""
    arguments = parse_arguments()
    sys.path.insert(0, str(ROOT))
    from rogseg.preprocessing import choose_plan, preprocess_task

    try:
        plan, origin = choose_plan(arguments.raw_task_dir, arguments.plan, ROOT / "configs" / "_base_" / "tasks")
        print(f"plan: {origin}", flush=True)
        task = preprocess_task(arguments.raw_task_dir, arguments.out, num_workers=arguments.num_workers, plan=plan)
    except ValueError as error:
        sys.exit(f"error: {error}")
    print(
        f"{len(task.case_ids)} cases in {task.directory}\n"
        f"patch {task.plan.patch_size}, window {task.plan.window_size}, strides {task.plan.strides}, "
        f"spacing {task.plan.spacing} mm, intensities {task.plan.intensity_source}"
    )


if __name__ == "__main__":
    main()
