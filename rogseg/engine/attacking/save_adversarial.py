"""Adversarial volumes as files: perturbation, prediction and a picture of each case."""

from pathlib import Path

import numpy as np
import torch

from rogseg.attacks import AttackResult
from rogseg.cases import Case
from rogseg.evaluation.robustness_figures import plot_attacked_slice
from rogseg.preprocessing import network_affine, write_image, write_label
from rogseg.systems import RogsegSystem, System

__all__ = ["AdversarialWriter"]


class AdversarialWriter:
    """Writes ``<case>/<attack>_<epsilon>/``: ``perturbation.nii.gz``, ``prediction.nii.gz`` and ``slice.png``.

    The files lie on the network's grid, which is the raw grid where preprocessing did not resample; the affine says
    where that is. The perturbation is float32 [HU, or scanner units of the case], zero outside of what was attacked.

    Raises:
        ValueError: the system is none of ours, so its grid is not known here.
    """

    def __init__(self, directory: Path, system: System, name: str) -> None:
        if not isinstance(system, RogsegSystem):
            raise ValueError(f"--save-adversarial: not known how volumes of {system.identity.name} go to files")
        self.directory, self.system, self.name = directory, system, name

    def write(self, case: Case, epsilon: float, result: AttackResult) -> None:
        """Write one result."""
        folder = self.directory / case.case_id / f"{self.name}_{epsilon:.5f}"
        properties, region = case.properties, case.region or (slice(None),) * 3
        affine = network_affine(properties)
        with torch.no_grad():
            clean = self.system.model(case.inputs).argmax(1)[0].byte().cpu().numpy()
        attacked = result.prediction[0].cpu().numpy()
        moved = (result.adversarial - case.inputs)[0].cpu()
        to_raw = torch.tensor(case.raw_width) / case.box.width.flatten().cpu()
        perturbation = np.zeros((moved.shape[0], *properties.network_shape), dtype=np.float32)
        perturbation[(slice(None), *region)] = moved * to_raw[:, None, None, None]
        prediction = np.full(properties.network_shape, self.system.plan.label_values[0], dtype=np.int64)
        prediction[region] = np.array(self.system.plan.label_values)[attacked]
        write_image(folder / "perturbation.nii.gz", perturbation, affine)
        write_label(folder / "prediction.nii.gz", prediction, affine)
        assert case.targets is not None, "only labelled cases are attacked"
        plot_attacked_slice(
            case.inputs[0, 0].cpu().numpy(),
            moved[0].numpy(),
            case.targets[0].byte().cpu().numpy(),
            clean,
            attacked,
            folder / "slice.png",
            f"{case.case_id}, {self.name}, epsilon {epsilon:.4f}, Dice {result.mean_dice[0].item():.3f}",
        )
