"""Raw cases and tasks: which files there are, before any of them is opened."""

import dataclasses
import re
from pathlib import Path

__all__ = ["RawCase", "RawTask", "case_id_of", "read_folder_of_images"]

_ENDINGS = (".nii.gz", ".nii")
_CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>\d{4})")


@dataclasses.dataclass(frozen=True)
class RawCase:
    """One case: one image file (3-D, or 4-D with the modality last) or one file per channel, and its label, if any."""

    case_id: str
    images: tuple[Path, ...]
    label: Path | None


@dataclasses.dataclass(frozen=True)
class RawTask:
    """A raw task folder: its channels, its label values and their names (0 the background), its cases."""

    directory: Path
    name: str
    modalities: tuple[str, ...]
    labels: dict[int, str]
    training: tuple[RawCase, ...]
    test: tuple[RawCase, ...]


def case_id_of(path: Path) -> str:
    """The name of a NIfTI file without its folder and ending.

    Raises:
        ValueError: the file is not named as NIfTI.
    """
    for ending in _ENDINGS:
        if path.name.endswith(ending) and len(path.name) > len(ending):
            return path.name.removesuffix(ending)
    raise ValueError(f"{path}: not a NIfTI file by its name; give files that end in .nii.gz or .nii")


def read_folder_of_images(directory: str | Path, num_channels: int) -> tuple[RawCase, ...]:
    """The cases of a plain folder of NIfTI files, without labels, sorted by case id.

    Where any file ends in ``_0000``, the folder is read as nnU-Net names files: one per channel, ``case_0000``,
    ``case_0001``, ... Otherwise every file is a case (4-D, modality last, where there are several channels).

    Raises:
        ValueError: the folder is absent or empty, or a case lacks a channel or has one too many.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ValueError(f"{directory}: no such folder; give a folder of .nii.gz files")
    # Hidden files (the "._" twins that macOS leaves) are no images.
    files = sorted(path for path in directory.iterdir() if path.name.endswith(_ENDINGS) and path.name[0] != ".")
    if not files:
        raise ValueError(f"{directory}: holds no .nii.gz or .nii file")
    if not any(case_id_of(path).endswith("_0000") for path in files):
        _refuse_twins(directory, [case_id_of(path) for path in files])
        return tuple(RawCase(case_id_of(path), (path,), None) for path in files)
    return tuple(
        RawCase(case_id, images, None) for case_id, images in group_channels(directory, files, num_channels).items()
    )


def group_channels(directory: Path, files: list[Path], num_channels: int) -> dict[str, tuple[Path, ...]]:
    """Group files named ``case_0000`` by case, in order of the channel."""
    grouped: dict[str, list[tuple[int, Path]]] = {}
    for path in files:
        match = _CHANNEL.fullmatch(case_id_of(path))
        if match is None:
            raise ValueError(
                f"{path}: has no channel number, though other files in the folder end in _0000; name it "
                f"{case_id_of(path)}_0000.nii.gz or take it out"
            )
        grouped.setdefault(match["case"], []).append((int(match["channel"]), path))
    for case_id, members in grouped.items():
        channels = sorted(channel for channel, _ in members)
        if channels != list(range(num_channels)):
            raise ValueError(
                f"{directory}: case {case_id!r} has the channel numbers {channels}, but the task needs "
                f"{list(range(num_channels))}: one file {case_id}_000N.nii.gz for each of {num_channels} channels"
            )
    return {case_id: tuple(path for _, path in sorted(grouped[case_id])) for case_id in sorted(grouped)}


def _refuse_twins(directory: Path, case_ids: list[str]) -> None:
    twins = sorted({case_id for case_id in case_ids if case_ids.count(case_id) > 1})
    if twins:
        raise ValueError(f"{directory}: several files for the cases {twins} (.nii and .nii.gz); keep one of each")
