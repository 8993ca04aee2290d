"""Raw cases and tasks: which files there are, before any of them is opened."""

import dataclasses
import re
from pathlib import Path

from rogseg.foreign import checked_name

__all__ = ["RawCase", "RawTask", "case_id_of", "is_nifti", "read_folder_of_images", "read_folder_of_labels"]

NIFTI_ENDINGS = (".nii.gz", ".nii")
ITK_ENDINGS = (".seg.nrrd", ".nrrd", ".mha", ".mhd")
ENDINGS = (*NIFTI_ENDINGS, *ITK_ENDINGS)
_CHANNEL = re.compile(r"(?P<case>.+)_(?P<channel>[0-9]{4})")


@dataclasses.dataclass(frozen=True)
class RawCase:
    """One case: one image file (3-D, or 4-D with the modality last) or one file per channel, and its label, if any.

    A folder that holds one DICOM series stands for a file. ``notes`` are what a person should know of its files.
    """

    case_id: str
    images: tuple[Path, ...]
    label: Path | None
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class RawTask:
    """A raw task folder: its channels, its label values and their names (0 the background), its cases.

    ``notes`` are what a person should know of its index.
    """

    directory: Path
    name: str
    modalities: tuple[str, ...]
    labels: dict[int, str]
    training: tuple[RawCase, ...]
    test: tuple[RawCase, ...]
    notes: tuple[str, ...] = ()


def is_nifti(path: Path) -> bool:
    """Whether a file is NIfTI by its name."""
    return path.name.endswith(NIFTI_ENDINGS)


def case_id_of(path: Path) -> str:
    """The name of an image file without its folder and ending, or that of a folder with a DICOM series.

    Raises:
        ValueError: it is named as none of the formats that are read, or the rest of its name cannot name a case.
    """
    for ending in ENDINGS:
        if path.name.endswith(ending):
            return checked_name(path.name.removesuffix(ending), path)
    if path.is_dir():
        return checked_name(path.name, path)
    raise ValueError(
        f"{path}: not an image by its name; give files that end in {', '.join(ENDINGS)}, or a folder of DICOM files"
    )


def read_folder_of_images(directory: str | Path, num_channels: int) -> tuple[RawCase, ...]:
    """The cases of a plain folder of images, without labels, sorted by case id.

    Where any file ends in ``_0000``, the folder is read as nnU-Net names files: one per channel, ``case_0000``,
    ``case_0001``, ... Otherwise every file is a case (4-D, modality last, where there are several channels).

    Raises:
        ValueError: the folder is absent or empty, or a case lacks a channel or has one too many.
    """
    directory, files = Path(directory), _images_in(Path(directory))
    if not any(case_id_of(path).endswith("_0000") for path in files):
        return tuple(RawCase(case_id, (path,), None) for case_id, path in _by_case(directory, files).items())
    return tuple(
        RawCase(case_id, images, None) for case_id, images in group_channels(directory, files, num_channels).items()
    )


def read_folder_of_labels(directory: str | Path) -> dict[str, Path]:
    """The label maps of a plain folder by case id, sorted; they have no channels, so every file is one.

    Raises:
        ValueError: the folder is absent or empty, or two files are of one case.
    """
    return _by_case(Path(directory), _images_in(Path(directory)))


def _images_in(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise ValueError(f"{directory}: no such folder; give a folder of .nii.gz files")
    files = sorted(path for path in directory.iterdir() if _is_image(path))
    if not files:
        inside = [
            path.name for path in sorted(directory.iterdir()) if path.is_dir() and any(map(_is_image, path.iterdir()))
        ]
        meant = f"; name one of its folders that do: {', '.join(inside[:10])}" if inside else ""
        raise ValueError(
            f"{directory}: holds no file that ends in {', '.join(ENDINGS)}, and no folder of DICOM files{meant}"
        )
    return files


def group_channels(directory: Path, files: list[Path], num_channels: int) -> dict[str, tuple[Path, ...]]:
    """Group files named ``case_0000`` by case, in order of the channel."""
    grouped: dict[str, list[tuple[int, Path]]] = {}
    for path in files:
        match = _CHANNEL.fullmatch(case_id_of(path))
        if match is None:
            raise ValueError(
                f"{path}: has no channel number, and this folder holds one file for each channel (dataset.json in "
                f"nnU-Net's words, or another name that ends in _0000); name it {case_id_of(path)}_0000 or take it out"
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


def _is_image(path: Path) -> bool:
    if path.name.startswith("."):  # hidden, such as the "._" twins that macOS leaves
        return False
    if path.name.endswith(ENDINGS):
        return True
    return path.is_dir() and any(member.suffix.lower() == ".dcm" for member in path.iterdir())


def _by_case(directory: Path, files: list[Path]) -> dict[str, Path]:
    case_ids = [case_id_of(path) for path in files]
    twins = sorted({case_id for case_id in case_ids if case_ids.count(case_id) > 1})
    if twins:
        raise ValueError(f"{directory}: several files for the cases {twins}, of different endings; keep one of each")
    return dict(zip(case_ids, files, strict=True))
