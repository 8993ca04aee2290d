"""Read ``dataset.json`` of a raw task folder, in the layout of the MSD or of nnU-Net."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rogseg.foreign import checked_name, read_json
from rogseg.storage.label_names import WHOLE_NUMBER
from rogseg.storage.raw_case import ENDINGS, RawCase, RawTask, case_id_of, group_channels
from rogseg.task_plan import MAX_CLASSES

__all__ = ["read_raw_task"]

INDEX = "dataset.json"
MOST_LISTED = 10  # of the tasks in a folder that is none


def read_raw_task(directory: str | Path, *, plain_labels: bool = True) -> RawTask:
    """The channels, labels and cases of a raw task folder; its name is the folder's.

    Files that are listed need not exist yet: who reads a case reports it, so that all bad cases can be told at once.

    Args:
        directory: the folder.
        plain_labels: each label must be one value, as rogseg trains on them. A system with labels of its own, which
            may be regions or hold an ignore value, needs the cases alone; the task's labels then are empty.

    Raises:
        ValueError: there is no usable ``dataset.json``; the message names the file, the key and the remedy.
    """
    directory = Path(directory).absolute()
    if directory.name in ("", ".."):
        directory = directory.resolve()
    index = directory / INDEX
    if not index.exists():
        raise ValueError(_without_index(directory))
    content = read_json(index, "mend or fetch the file again")
    if not isinstance(content, dict):
        raise ValueError(f"{index}: must hold a JSON object with modality, labels and training")
    per_channel_files = "channel_names" in content
    modalities = _modalities(content, index)
    labels = _labels(content, index) if plain_labels else {}
    if per_channel_files:
        training, test = _nnunet_cases(content, directory, index, len(modalities))
    else:
        training = _msd_cases(content, "training", directory, index, len(modalities))
        test = _msd_cases(content, "test", directory, index, len(modalities))
    for case in training:
        if case.label is None:
            raise ValueError(f"{index}: training case {case.case_id!r} has no label; give it one or list it under test")
    counts = Counter(case.case_id for case in (*training, *test))
    twins = sorted(case_id for case_id, count in counts.items() if count > 1)
    if twins:
        raise ValueError(f"{index}: the cases {twins[:10]} are listed more than once; list every case once")
    if not training and not test:
        raise ValueError(f"{index}: lists no case; fill in training and test")
    notes = () if per_channel_files else _wrong_numbers(content, index, len(training), len(test))
    name = checked_name(directory.name, f"{directory}: the name of the folder, which is that of the task")
    return RawTask(directory, name, modalities, labels, training, test, notes)


def _without_index(directory: Path) -> str:
    """What a folder is that is no raw task, and which one near it may have been meant."""
    if not directory.exists():
        return f"{directory}: there is no such folder"
    if not directory.is_dir():
        return f"{directory}: is a file; name the folder of a raw task, which has dataset.json"
    missing = f"{directory / INDEX}: no such file"
    above = next((folder for folder in directory.parents if (folder / INDEX).is_file()), None)
    if above is not None:
        return f"{missing}; the task is {above}: name that folder"
    found = (path.parent for depth in ("*", "*/*") for path in directory.glob(f"{depth}/{INDEX}"))
    if inside := sorted(str(folder.relative_to(directory)) for folder in found):
        return f"{missing}; name one of the tasks in this folder: {', '.join(inside[:MOST_LISTED])}"
    if (directory / "plan.json").is_file() and (directory / "splits.json").is_file():
        return f"{missing}; this is a task that rogseg preprocess has stored: name the raw one that it was made from"
    return f"{missing}; a raw task folder needs it in the MSD or nnU-Net layout"


def _modalities(content: Mapping[str, Any], index: Path) -> tuple[str, ...]:
    key = "channel_names" if "channel_names" in content else "modality"
    entries = content.get(key)
    if not isinstance(entries, dict) or not entries:
        raise ValueError(f'{index}: {key} must name the channels by number, such as {{"0": "CT"}}; got {entries!r}')
    if sorted(entries) != sorted(str(channel) for channel in range(len(entries))):
        raise ValueError(f'{index}: {key} must number the channels "0", "1", ... without a gap; got {sorted(entries)}')
    return tuple(str(entries[str(channel)]) for channel in range(len(entries)))


def _labels(content: Mapping[str, Any], index: Path) -> dict[int, str]:
    entries = content.get("labels")
    if not isinstance(entries, dict) or not entries:
        raise ValueError(f'{index}: labels must be an object such as {{"0": "background", "1": "liver"}}')
    # MSD writes value -> name, nnU-Net name -> value; only the second has numbers for values.
    by_name = all(not isinstance(value, str) or WHOLE_NUMBER.fullmatch(value) for value in entries.values())
    pairs = [(value, name) for name, value in entries.items()] if by_name else list(entries.items())
    labels: dict[int, str] = {}
    for value, name in pairs:
        name = str(name).strip()
        if name == "ignore":
            raise ValueError(f"{index}: labels: no network is trained with an ignore label here; relabel those voxels")
        if isinstance(value, bool | float) or not WHOLE_NUMBER.fullmatch(str(value)):
            raise ValueError(
                f"{index}: labels: {name!r} has the value {value!r}; give each label one whole number: no network "
                "is trained on regions of several labels here"
            )
        if int(value) in labels:
            raise ValueError(f"{index}: labels: the value {int(value)} stands for two names; keep one")
        if name in labels.values():
            raise ValueError(f"{index}: labels: two values have the name {name!r}; give each class its own")
        if not name:
            raise ValueError(f"{index}: labels: the value {int(value)} has no name; give it one")
        labels[int(value)] = name
    if 0 not in labels:
        raise ValueError(f'{index}: labels has no background; add "0": "background"')
    if len(labels) < 2:
        raise ValueError(f"{index}: labels names no foreground class; add at least one")
    if len(labels) > MAX_CLASSES:
        raise ValueError(
            f"{index}: labels names {len(labels)} classes; at most {MAX_CLASSES} with the background can be stored, so "
            "merge some of them"
        )
    return dict(sorted(labels.items()))


def _msd_cases(
    content: Mapping[str, Any], key: str, directory: Path, index: Path, num_channels: int
) -> tuple[RawCase, ...]:
    entries = content.get(key, [])
    if not isinstance(entries, list) or (key == "training" and key not in content):
        raise ValueError(f"{index}: {key} must be a list of cases")
    cases = []
    for entry in entries:
        image = entry.get("image") if isinstance(entry, dict) else entry
        label = entry.get("label") if isinstance(entry, dict) else None
        path = _inside(image, directory, index, key)
        images: tuple[Path, ...] = (path,)
        case_id = case_id_of(path)
        ending = path.name.removeprefix(case_id)
        first = path.with_name(f"{case_id}_0000{ending}")
        if not path.exists() and first.exists():
            # nnU-Net's first version lists case.nii.gz where the files are case_0000.nii.gz, ...
            images = tuple(path.with_name(f"{case_id}_{channel:04d}{ending}") for channel in range(num_channels))
        label_path = None if label is None else _inside(label, directory, index, key)
        cases.append(RawCase(case_id, images, label_path))
    return tuple(cases)


def _nnunet_cases(
    content: Mapping[str, Any], directory: Path, index: Path, num_channels: int
) -> tuple[tuple[RawCase, ...], tuple[RawCase, ...]]:
    ending = content.get("file_ending", ".nii.gz")
    if ending not in ENDINGS:
        raise ValueError(f"{index}: file_ending is {ending!r}; only {', '.join(ENDINGS)} are read: convert the files")

    def images_in(folder: str) -> dict[str, tuple[Path, ...]]:
        place = directory / folder
        files = sorted(path for path in place.glob(f"*{ending}") if path.name[0] != ".") if place.is_dir() else []
        return group_channels(place, files, num_channels)

    training = images_in("imagesTr")
    declared = content.get("numTraining", len(training))
    if declared != len(training):
        raise ValueError(
            f"{index}: numTraining is {declared!r}, but imagesTr holds {len(training)} cases; complete the "
            "folder or mend the number"
        )
    return (
        tuple(RawCase(key, paths, directory / "labelsTr" / f"{key}{ending}") for key, paths in training.items()),
        tuple(RawCase(key, paths, None) for key, paths in images_in("imagesTs").items()),
    )


def _wrong_numbers(content: Mapping[str, Any], index: Path, num_training: int, num_test: int) -> tuple[str, ...]:
    return tuple(
        f"{index}: {key} is {content[key]!r}, but {name} lists {number} cases; the list counts"
        for key, name, number in (("numTraining", "training", num_training), ("numTest", "test", num_test))
        if key in content and content[key] != number
    )


def _inside(name: Any, directory: Path, index: Path, key: str) -> Path:
    """The listed path, refused where it points out of the folder (links that the user made himself are his)."""
    if not isinstance(name, str) or not name:
        raise ValueError(f'{index}: {key}: a case needs "image": "./imagesTr/<case>.nii.gz"; got {name!r}')
    if "\0" in name:
        raise ValueError(f"{index}: {key}: no file can have the name {name!r}; mend the list")
    inside = Path(os.path.normpath(name))
    if inside.is_absolute() or inside.parts[:1] == ("..",):
        raise ValueError(f"{index}: {key}: {name!r} points out of the task folder; list paths inside {directory}")
    return directory / inside
