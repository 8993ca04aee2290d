"""``dataset.json``: channels and labels, checked, and nothing else of the file."""

from pathlib import Path
from typing import Any

from rogseg.systems.nnunet.allowed_names import FILE_ENDINGS
from rogseg.systems.nnunet.fields import MAX_TEXT, Field, list_of, one_of, pick, read_own_json, text, whole_number

__all__ = ["read_dataset"]

_MAX_CHANNELS = 64
_MAX_LABELS = 254  # what an unsigned byte holds, so that every label map is one
_VALUE = whole_number(0, _MAX_LABELS)
_VALUES = list_of(_VALUE, *range(1, _MAX_LABELS + 1))


def read_dataset(path: Path) -> dict[str, Any]:
    """The entries that decide what a network's inputs and outputs mean.

    Returns:
        ``channel_names`` (number -> name), ``labels`` (name -> value, or values of a region), ``regions_class_order``
        where there are regions, and ``file_ending``.

    Raises:
        ValueError: an entry is missing or contradicts another.
    """
    content = read_own_json(path)
    names = Field(
        lambda value: (
            isinstance(value, dict)
            and 0 < len(value) <= _MAX_CHANNELS
            and set(value) == {str(channel) for channel in range(len(value))}
            and all(text().accepts(name) for name in value.values())
        ),
        'an object that numbers the channels from "0" on',
    )
    labels = Field(
        lambda value: (
            isinstance(value, dict)
            and 0 < len(value) <= _MAX_LABELS
            and all(len(name) <= MAX_TEXT for name in value)
            and all(_VALUE.accepts(entry) or _VALUES.accepts(entry) for entry in value.values())
        ),
        "an object that gives each label's name its value, or the values of a region",
    )
    # As nnU-Net has it, the older key counts where both are there.
    key = "modality" if isinstance(content, dict) and "modality" in content else "channel_names"
    dataset = pick(
        content,
        {
            key: names,
            "labels": labels,
            "regions_class_order": Field(
                lambda value: value is None or _VALUES.accepts(value), "a list of label values, or null"
            ).optional(),
            "file_ending": one_of(FILE_ENDINGS).optional(),
        },
        str(path),
    )
    dataset["channel_names"] = dataset.pop(key)
    _check_labels(dataset, path)
    return dataset


def _check_labels(dataset: dict[str, Any], path: Path) -> None:
    labels = dict(dataset["labels"])
    if labels.pop("background", None) != 0:
        raise ValueError(f'{path}: labels must have "background": 0; mend the file')
    ignore = labels.pop("ignore", None)
    if not labels:
        raise ValueError(f"{path}: labels names no foreground class; mend the file")
    regions = [[entry] if isinstance(entry, int) else entry for entry in labels.values()]
    values = sorted({0, *(value for region in regions for value in region)})
    if ignore is not None and (not isinstance(ignore, int) or ignore != values[-1] + 1):
        raise ValueError(f"{path}: labels: ignore must be {values[-1] + 1}, one above all others; mend the file")
    if any(set(region) == {0} for region in regions):
        raise ValueError(f"{path}: labels: only the background may have the value 0; mend the file")
    if any(len(region) > 1 for region in regions):
        order = dataset.get("regions_class_order")
        if not order or len(order) != len(regions) or len(set(order)) != len(order):
            raise ValueError(
                f"{path}: 'regions_class_order' is {order!r:.80}; with regions it must hold one value for each of the "
                f"{len(regions)} classes, none twice"
            )
    elif values != list(range(len(regions) + 1)):
        raise ValueError(
            f"{path}: labels has the values {values}, but nnU-Net's networks give consecutive ones from 0 on, each for "
            "one name; mend the file"
        )
