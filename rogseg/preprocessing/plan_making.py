"""A plan for a dataset that has none."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Literal

from rogseg.preprocessing.fingerprint import Fingerprint, IntensityStatistics
from rogseg.preprocessing.plan_wishes import NO_WISHES, PlanWishes
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


def make_plan(
    name: str,
    fingerprint: Fingerprint,
    raw_task: RawTask,
    kinds: Mapping[str, str],
    wishes: PlanWishes = NO_WISHES,
) -> TaskPlan:
    """Derive the plan of a task from its fingerprint.

    Args:
        name: the task's name.
        fingerprint: of its training cases.
        raw_task: its labels.
        kinds: of the foreground classes by name; classes that it leaves out are organs.
        wishes: what the plan shall have, whatever the data say.

    Raises:
        ValueError: a class occurs in no training case, or ``kinds`` names a class that the task has not.
    """
    _check_kinds(kinds, raw_task)
    absent = [entry.name for entry in fingerprint.classes if entry.volume == 0]
    if absent:
        raise ValueError(
            f"{raw_task.directory}: the classes {absent} occur in none of the {fingerprint.num_cases} training cases; "
            "take them out of labels in dataset.json or add cases that have them"
        )
    smallest = fingerprint.smallest_class
    spacing = wishes.spacing or fingerprint.median_spacing
    # Sizes were measured at the median spacing.
    scale = [old / new for old, new in zip(fingerprint.median_spacing, spacing, strict=True)]
    geometry = plan_geometry(
        [length * factor for length, factor in zip(fingerprint.median_shape, scale, strict=True)],
        [length * factor for length, factor in zip(smallest.box, scale, strict=True)],
        smallest.volume * math.prod(scale),
    )
    classes = []
    for entry in fingerprint.classes:
        kind: Kind = "lesion" if kinds.get(entry.name) == "lesion" else "organ"
        classes.append(
            ForegroundClass(entry.name, kind, round(SPECK * entry.volume * math.prod(scale)) if kind == "lesion" else 0)
        )
    plan = TaskPlan(
        name=name,
        channels=tuple(_channel(entry, wishes) for entry in fingerprint.intensities),
        classes=tuple(classes),
        label_values=(0, *(value for value in raw_task.labels if value != 0)),
        spacing=spacing,
        patch_size=geometry.patch_size,
        crop_size=geometry.crop_size,
        window_size=geometry.window_size,
        strides=geometry.strides,
        # The finest error that the coarsest axis can show.
        surface_tolerance=max(spacing),
        intensity_source="computed",
    )
    return dataclasses.replace(wishes, spacing=None, percentiles=None).applied_to(plan)


def check_plan_fits(plan: TaskPlan, raw_task: RawTask, kinds: Mapping[str, str]) -> None:
    """Refuse a plan that was made for other channels, labels or classes than those of a raw task.

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
    _check_kinds(kinds, raw_task)
    known = {channel.modality.casefold() for channel in plan.channels}
    classes = {entry.casefold() for entry in plan.class_names}
    for channel, modality in zip(plan.channels, raw_task.modalities, strict=True):
        moved = modality.casefold() in known and modality.casefold() != channel.modality.casefold()
        if moved or is_rescaled(channel.modality) != is_rescaled(modality):
            raise ValueError(
                f"{where} is for {channel.modality}, the data are {modality}, whose intensities mean something else; "
                "take another plan or none (a folder that is called as a task of the MSD gets that task's: rename it)"
            )
    for value, entry in zip(plan.label_values[1:], plan.classes, strict=True):
        name = raw_task.labels[value]
        if name.casefold() in classes and name.casefold() != entry.name.casefold():
            raise ValueError(
                f"{where} calls the label {value} {entry.name!r}, the data call it {name!r}; take another plan or none"
            )
        if kinds.get(name, entry.kind) != entry.kind:
            raise ValueError(
                f"{where} has {entry.name!r} as {entry.kind}, class_kinds as {kinds[name]}; change either, or delete "
                "the plan.json of the stored task to have it planned anew"
            )


def _check_kinds(kinds: Mapping[str, str], raw_task: RawTask) -> None:
    names = [label for value, label in raw_task.labels.items() if value != 0]
    strangers = sorted(set(kinds) - set(names))
    if strangers:
        raise ValueError(
            f"{raw_task.directory / 'dataset.json'}: class_kinds names {strangers}, but the classes are {names}"
        )


def _channel(entry: IntensityStatistics, wishes: PlanWishes) -> ChannelIntensity:
    numbers = entry.lower, entry.upper, entry.mean, entry.std
    return ChannelIntensity(
        entry.modality, entry.rescaled, *numbers, percentiles=wishes.percentiles if entry.rescaled else None
    )
