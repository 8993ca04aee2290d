"""nnU-Net's commands against ours: preprocessing of hippocampus, and prediction with the same trained network.

    python -m benchmarks.peers.nnunet --data RAW_HIPPOCAMPUS --cases 20 [--folder TRAINER__PLANS__CONFIGURATION]

Each is run as a user runs it, wall time of the whole command, one process each. Preprocessing: fingerprint, plan and
storing, of all cases and of two generated CTs. Prediction of the first cases: nnUNetv2_predict and rogseg test on the
same images with the folder's network, mirrored copies included, on all processors; labels are compared voxel by voxel.
"""

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np

from benchmarks.measuring import ROOT
from benchmarks.peers.rows import print_comparison
from rogseg.storage import RawCase, read_raw_task

DATASET = "Dataset999_Peers"
CT_SHAPE, CT_SPACING = (512, 512, 300), (0.8, 0.8, 1.25)
PEER = f"nnU-Net {importlib.metadata.version('nnunetv2')}"
ONE_PROCESS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "nnUNet_compile": "f", "PYTHONPATH": str(ROOT)}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Wall time of a command [s]."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - begin


def nnunet_command(name: str) -> list[str]:
    """One of nnU-Net's entry points, by the Python that runs this."""
    module, function = {
        "plan_and_preprocess": (
            "nnunetv2.experiment_planning.plan_and_preprocess_entrypoints",
            "plan_and_preprocess_entry",
        ),
        "predict": ("nnunetv2.inference.predict_from_raw_data", "predict_entry_point_modelfolder"),
    }[name]
    return [sys.executable, "-c", f"from {module} import {function} as run; run()"]


def copy_as_nnunet(cases: list[RawCase], folder: Path) -> None:
    """Hippocampus cases in nnU-Net's layout."""
    write_dataset(folder, "MRI", {"Anterior": 1, "Posterior": 2}, len(cases))
    for case in cases:
        assert case.label is not None
        shutil.copy(case.images[0], folder / "imagesTr" / f"{case.case_id}_0000.nii.gz")
        shutil.copy(case.label, folder / "labelsTr" / f"{case.case_id}.nii.gz")


def make_ct(folder: Path) -> None:
    """Two CTs of a body in air with an organ, whose size alone is realistic."""
    write_dataset(folder, "CT", {"Organ": 1}, 2)
    generator = np.random.default_rng(0)
    axes = np.ogrid[tuple(slice(-1, 1, complex(0, length)) for length in CT_SHAPE)]
    radius = np.sqrt(sum(axis**2 for axis in axes))
    for name in ("one", "other"):
        image = np.where(radius < 0.95, 40, -1000) + generator.normal(0, 15, CT_SHAPE).astype(np.float32)
        for path, voxels in (
            (folder / "imagesTr" / f"{name}_0000.nii.gz", image.astype(np.int16)),
            (folder / "labelsTr" / f"{name}.nii.gz", (radius < 0.3).astype(np.uint8)),
        ):
            nibabel.save(nibabel.Nifti1Image(voxels, np.diag([*CT_SPACING, 1])), path)


def write_dataset(folder: Path, channel: str, classes: dict[str, int], number: int) -> None:
    """The folders and dataset.json of a task in nnU-Net's layout."""
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    content = {
        "channel_names": {"0": channel},
        "labels": {"background": 0, **classes},
        "numTraining": number,
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(content))


def compare_preprocessing(raw: Path, out: Path, environment: dict[str, str], work: str, aim: str) -> None:
    theirs = seconds(
        [
            *nnunet_command("plan_and_preprocess"),
            *("-d", raw.name[len("Dataset") :][:3], "-c", "3d_fullres", "-np", "1", "-npfp", "1"),
        ],
        environment,
    )
    # The same raw folder, a layout that ours reads, too; its name has no plan that ships, so both plan.
    ours = seconds(
        [sys.executable, "tools/preprocess.py", str(raw), "--out", str(out), "--num-workers", "1"], environment
    )
    print_comparison(f"plan and preprocess {work}", PEER, ours, theirs, "s", aim)


def compare_prediction(
    work: Path, environment: dict[str, str], folder: Path, checkpoint: str, case_ids: list[str]
) -> None:
    images, theirs_out, ours_out = work / "images", work / "theirs", work / "ours"
    images.mkdir()
    for case_id in case_ids:
        shutil.copy(work / "raw" / DATASET / "imagesTr" / f"{case_id}_0000.nii.gz", images)
    fold = next(path.name.removeprefix("fold_") for path in sorted(folder.glob("fold_*")))
    theirs = seconds(
        [
            *nnunet_command("predict"), "-i", str(images), "-o", str(theirs_out), "-m", str(folder), "-f", fold,
            "-chk", checkpoint, "-device", "cpu", "-npp", "1", "-nps", "1", "--disable_progress_bar",
        ],
        environment,
    )  # fmt: skip
    ours = seconds(
        [
            sys.executable, "tools/test.py", str(folder), "--data", str(work / "raw" / DATASET), "--cases",
            *case_ids, "--out", str(ours_out),
            "--device", "cpu", "--cfg-options", f"checkpoint={checkpoint}", f"folds={fold}",
        ],
        environment | dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(os.cpu_count())),  # as theirs does anyway
    )  # fmt: skip
    print_comparison(
        f"predict {len(case_ids)} cases with one nnU-Net network, mirrored", PEER, ours, theirs, "s", "at most 1"
    )
    found = sorted(theirs_out.glob("*.nii.gz"))
    pairs = [(nibabel.load(ours_out / "predictions" / path.name), nibabel.load(path)) for path in found]
    assert len(pairs) == len(case_ids)
    different = sum(int((np.asarray(one.dataobj) != np.asarray(other.dataobj)).sum()) for one, other in pairs)
    voxels = sum(int(np.prod(one.shape)) for one, _ in pairs)
    print(f"labels that differ: {different} of {voxels} voxels (ours sums in float32, the command in half precision)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="raw folder of Task04_Hippocampus")
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--folder", type=Path, help="trained nnU-Net of that task; without it prediction is left out")
    parser.add_argument("--checkpoint", default="checkpoint_final.pth")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        places = {name: str(work / part) for name, part in (("nnUNet_raw", "raw"), ("nnUNet_preprocessed", "pre"))}
        environment = {**os.environ, **ONE_PROCESS, **places, "nnUNet_results": str(work / "results")}
        cases = sorted(read_raw_task(asked.data).training, key=lambda case: case.case_id)
        hippocampus, ct = (work / "raw" / name for name in (DATASET, "Dataset998_CT"))
        copy_as_nnunet(cases, hippocampus)
        number = f"{len(cases)} hippocampus cases"
        compare_preprocessing(hippocampus, work / "stored", environment, number, "at most 0.125")
        make_ct(ct)
        size = "x".join(map(str, CT_SHAPE))
        compare_preprocessing(ct, work / "stored_ct", environment, f"two generated CTs of {size}", "at most 0.125")
        if asked.folder is not None:
            case_ids = [case.case_id for case in cases[: asked.cases]]
            compare_prediction(work, environment, asked.folder.absolute(), asked.checkpoint, case_ids)


if __name__ == "__main__":
    main()
