"""Adversarial volumes as files: perturbation, prediction and a picture of each case."""

from pathlib import Path

import numpy as np
import torch

from rogseg.attacks import AttackResult
from rogseg.cases import LogitFn
from rogseg.engine.attacking.attack_cases import AttackCase
from rogseg.evaluation.robustness_figures import plot_attacked_slice
from rogseg.preprocessing import network_affine, write_image, write_label
from rogseg.storage import StoredTask
from rogseg.task_plan import TaskPlan

__all__ = ["AdversarialWriter"]


class AdversarialWriter:
    """Writes ``<case>/<attack>_<epsilon>/``: ``perturbation.nii.gz``, ``prediction.nii.gz`` and ``slice.png``.

    The files lie on the network's grid, which is the raw grid where preprocessing did not resample; the affine says
    where that is. The perturbation is float32 [HU, or scanner units of the case], zero outside of what was attacked.
    """

    def __init__(self, directory: Path, stored: StoredTask, plan: TaskPlan, model: LogitFn) -> None:
        self.directory, self.stored, self.plan, self.model = directory, stored, plan, model

    def write(self, case: AttackCase, epsilon: float, name: str, result: AttackResult) -> None:
        """Write one result."""
        folder = self.directory / case.case_id / f"{name}_{epsilon:.5f}"
        properties = self.stored.case(case.case_id).properties
        affine = network_affine(properties)
        with torch.no_grad():
            clean, attacked = (
                self.model(volume).argmax(1)[0].byte().cpu().numpy() for volume in (case.inputs, result.adversarial)
            )
        moved = (result.adversarial - case.inputs)[0].cpu()
        to_raw = torch.tensor(case.raw_width) / case.box.width.flatten().cpu()
        perturbation = np.zeros((moved.shape[0], *properties.network_shape), dtype=np.float32)
        perturbation[(slice(None), *case.region)] = moved * to_raw[:, None, None, None]
        prediction = np.full(properties.network_shape, self.plan.label_values[0], dtype=np.int64)
        prediction[case.region] = np.array(self.plan.label_values)[attacked]
        write_image(folder / "perturbation.nii.gz", perturbation, affine)
        write_label(folder / "prediction.nii.gz", prediction, affine)
        plot_attacked_slice(
            case.inputs[0, 0].cpu().numpy(),
            moved[0].numpy(),
            case.targets[0].byte().cpu().numpy(),
            clean,
            attacked,
            folder / "slice.png",
            f"{case.case_id}, {name}, epsilon {epsilon:.4f}, Dice {result.mean_dice[0].item():.3f}",
        )
