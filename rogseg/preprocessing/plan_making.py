"""A plan for a dataset that has none."""

from collections.abc import Mapping
from typing import Literal

from rogseg.preprocessing.fingerprint import Fingerprint, IntensityStatistics
from rogseg.preprocessing.planner import plan_geometry
from rogseg.storage import RawTask
from rogseg.task_plan import ChannelIntensity, ForegroundClass, TaskPlan

__all__ = ["check_plan_fits", "is_rescaled", "make_plan"]

Kind = Literal["organ", "lesion"]

# Of the mean volume of a lesion in the dataset; smaller components count as specks where validation says that it helps.
SPECK = 0.01


def is_rescaled(modality: str) -> bool:
    """Whether intensities of a modality mean something only relative to their case: all but CT."""
    return modality.strip().upper() != "CT"


def make_plan(name: str, fingerprint: Fingerprint, raw_task: RawTask, kinds: Mapping[str, str]) -> TaskPlan:
    """Derive the plan of a task from its fingerprint.

    Args:
        name: the task's name.
        fingerprint: of its training cases.
        raw_task: its labels.
        kinds: of the foreground classes by name; classes that it leaves out are organs.

    Raises:
        ValueError: a class occurs in no training case, or ``kinds`` names a class that the task has not.
    """
    names = [label for value, label in raw_task.labels.items() if value != 0]
    strangers = sorted(set(kinds) - set(names))
    if strangers:
        raise ValueError(
            f"{raw_task.directory / 'dataset.json'}: class_kinds names {strangers}, but the classes are {names}"
        )
    absent = [entry.name for entry in fingerprint.classes if entry.volume == 0]
    if absent:
        raise ValueError(
            f"{raw_task.directory}: the classes {absent} occur in none of the {fingerprint.num_cases} training cases; "
            "take them out of labels in dataset.json or add cases that have them"
        )
    smallest = fingerprint.smallest_class
    geometry = plan_geometry(fingerprint.median_shape, smallest.box, smallest.volume)
    classes = []
    for entry in fingerprint.classes:
        kind: Kind = "lesion" if kinds.get(entry.name) == "lesion" else "organ"
        classes.append(ForegroundClass(entry.name, kind, round(SPECK * entry.volume) if kind == "lesion" else 0))
    return TaskPlan(
        name=name,
        channels=tuple(_channel(entry) for entry in fingerprint.intensities),
        classes=tuple(classes),
        label_values=(0, *(value for value in raw_task.labels if value != 0)),
        spacing=fingerprint.median_spacing,
        patch_size=geometry.patch_size,
        crop_size=geometry.crop_size,
        window_size=geometry.window_size,
        strides=geometry.strides,
        # The finest error that the coarsest axis can show.
        surface_tolerance=max(fingerprint.median_spacing),
        intensity_source="computed",
    )


def check_plan_fits(plan: TaskPlan, raw_task: RawTask) -> None:
    """Refuse a plan that was made for other channels or labels than those of a raw task.

    Raises:
        ValueError: they differ.
    """
    where = f"{raw_task.directory / 'dataset.json'}: the plan of task {plan.name!r}"
    if len(raw_task.modalities) != plan.num_channels:
        raise ValueError(
            f"{where} is for {plan.num_channels} channels {[entry.modality for entry in plan.channels]}, the data have "
            f"{list(raw_task.modalities)}; take another plan or none"
        )
    if set(raw_task.labels) != set(plan.label_values):
        raise ValueError(
            f"{where} is for the label values {sorted(plan.label_values)}, the data have {sorted(raw_task.labels)}; "
            "take another plan or none"
        )


def _channel(entry: IntensityStatistics) -> ChannelIntensity:
    return ChannelIntensity(entry.modality, entry.rescaled, entry.lower, entry.upper, entry.mean, entry.std)
