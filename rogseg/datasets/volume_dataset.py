"""VolumeDataset: whole stored cases."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from rogseg.cases import Case, IntensityBox
from rogseg.registry import DATASETS
from rogseg.storage import StoredTask

__all__ = ["VolumeDataset"]


@DATASETS.register_module()
class VolumeDataset(Dataset[Case]):
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

    def __getitem__(self, index: int) -> Case:
        """One case, its targets in uint8.

        Raises:
            ValueError: it has no label.
        """
        case = self.cases[index]
        label = case.read_label()
        if label is None:
            raise ValueError(f"{case.directory}: the case has no label, so nothing can be measured on it")
        properties = case.properties
        box = IntensityBox.per_channel(properties.box_lower, properties.box_upper)
        inputs = torch.from_numpy(case.read_image())[None].clamp(box.lower, box.upper)
        return Case(properties.case_id, inputs, torch.from_numpy(label)[None], box)
