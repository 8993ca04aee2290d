"""VolumeDataset: whole stored cases."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from rogseg.datasets.sample import Sample
from rogseg.registry import DATASETS
from rogseg.storage import StoredTask

__all__ = ["VolumeDataset"]


@DATASETS.register_module()
class VolumeDataset(Dataset[Sample]):
    """Labelled cases as they are stored, clipped to their box.

    Args:
        stored_task_dir: folder of the stored task.
        case_ids: the cases, in this order.
    """

    def __init__(self, stored_task_dir: str | Path, case_ids: Sequence[str]) -> None:
        task = StoredTask(stored_task_dir)
        self.cases = [task.case(case_id) for case_id in case_ids]

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> Sample:
        """One case.

        Raises:
            ValueError: it has no label.
        """
        case = self.cases[index]
        label = case.read_label()
        if label is None:
            raise ValueError(f"{case.directory}: the case has no label, so nothing can be measured on it")
        properties = case.properties
        lower = torch.tensor(properties.box_lower, dtype=torch.float32).view(-1, 1, 1, 1)
        upper = torch.tensor(properties.box_upper, dtype=torch.float32).view(-1, 1, 1, 1)
        return {
            "inputs": torch.from_numpy(case.read_image()).clamp(lower, upper),
            "targets": torch.from_numpy(label),
            "inside": torch.ones(1, *label.shape, dtype=torch.bool),
            "box_lower": lower,
            "box_upper": upper,
            "case_id": properties.case_id,
        }
