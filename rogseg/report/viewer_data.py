"""Saved volumes as the page carries them: few levels, one orientation, gzip in base64, and a picture without scripts.

The image has 256 levels between the bounds of the box, the perturbation 255 of its own, so that the small one keeps its
detail; the adversarial volume is their sum, made in the browser.
"""

import base64
import gzip
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rogseg.report.palette import CLASS_COLOURS, rgb
from rogseg.report.volumes import SavedVolume
from rogseg.task_plan import Region

__all__ = ["ViewerVolume", "embed", "viewer_volume"]

BUDGET = 22_000_000
"""Characters of base64 that the volumes of a page may take together."""
LARGE = BUDGET // 4
"""A volume above this is cut to what is labelled, and some room around it."""
MARGIN = 12
"""Around the labels where a volume is cut [voxels]."""

OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}


@dataclass(frozen=True)
class ViewerVolume:
    """What the viewer is told of one volume (JSON data), its voxels in base64, and a picture as a data URL."""

    about: dict[str, Any]
    data: str
    picture: str


def embed(volumes: Sequence[SavedVolume]) -> tuple[tuple[ViewerVolume, ...], str]:
    """As many of the volumes as the page may carry, in their order.

    Returns:
        The volumes, and a sentence on what was cut or left out; empty where nothing was.
    """
    made: list[ViewerVolume] = []
    used, num_cut, left_out = 0, 0, []
    for volume in volumes:
        viewer = viewer_volume(volume)
        if len(viewer.data) > LARGE:
            viewer = viewer_volume(volume, _labelled(volume))
            num_cut += 1
        if used + len(viewer.data) > BUDGET:
            left_out.append(volume.name)
            continue
        used += len(viewer.data)
        made.append(viewer)
    notes = []
    if num_cut:
        notes.append(
            f"{num_cut} of {len(volumes)} volumes are large and cut to the labels with {MARGIN} voxels around."
        )
    if left_out:
        notes.append(f"{len(left_out)} saved volumes did not fit into the page: {', '.join(left_out)}.")
    return tuple(made), " ".join(notes)


def viewer_volume(volume: SavedVolume, region: Region | None = None) -> ViewerVolume:
    """Bring a volume to the viewer's form; axes point right, anterior, superior, and x varies fastest."""
    part: Region = region or (slice(None), slice(None), slice(None))
    lower, upper = (np.array(bound, dtype=np.float32)[:, None, None, None] for bound in (volume.lower, volume.upper))
    image = np.clip((volume.image[:, *part] - lower) / (upper - lower), 0.0, 1.0)
    perturbation = volume.perturbation[:, *part]
    largest = np.abs(perturbation).max(axis=(1, 2, 3))
    steps = np.where(largest > 0, largest / 127, 1.0)
    moved = np.rint(perturbation / steps[:, None, None, None]).astype(np.int8)
    labels = [array[part] for array in (volume.target, volume.clean, volume.attacked)]
    order, flips = _to_ras(volume.axes)
    grey = np.rint(image * 255).astype(np.uint8)
    channels = [_oriented(array, order, flips) for array in (*grey, *moved)]
    oriented = [_oriented(array, order, flips) for array in labels]
    shape = oriented[0].shape
    stored = b"".join(np.ascontiguousarray(array.transpose(2, 1, 0)).tobytes() for array in (*channels, *oriented))
    spacing = [volume.spacing[axis] for axis in order]
    about = {
        "name": volume.name,
        "case": volume.case_id,
        "system": volume.system,
        "attack": volume.attack,
        "label": volume.label,
        "shape": list(shape),
        "spacing": spacing,
        "unit": volume.unit,
        "channels": list(volume.channels),
        "lower": list(volume.lower),
        "upper": list(volume.upper),
        "step": steps.tolist(),
        "start": _start(oriented[0]),
        "dice": _dice(volume),
    }
    num_channels = len(volume.channels)
    picture = _picture(channels[0], channels[num_channels], oriented, about["start"][2])
    data = base64.b64encode(gzip.compress(stored, 6, mtime=0)).decode()
    return ViewerVolume(about, data, picture)


def _to_ras(axes: str) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which stored axis runs along right-left, anterior-posterior, superior-inferior, and whether it points back."""
    order, flips = [], []
    for axis in "RAS":
        index = axes.find(axis)
        order.append(index if index >= 0 else axes.index(OPPOSITE[axis]))
        flips.append(index < 0)
    return (order[0], order[1], order[2]), (flips[0], flips[1], flips[2])


def _oriented(array: NDArray[Any], order: tuple[int, ...], flips: tuple[bool, ...]) -> NDArray[Any]:
    moved = array.transpose(order)
    return moved[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]


def _start(target: NDArray[np.uint8]) -> list[int]:
    """The voxel to begin at: in the axial slice with most of the target, the middle of what is there."""
    if not target.any():
        return [length // 2 for length in target.shape]
    z = int(np.argmax(np.count_nonzero(target, axis=(0, 1))))
    x, y = (int(np.median(index)) for index in np.nonzero(target[:, :, z]))
    return [x, y, z]


def _dice(volume: SavedVolume) -> list[list[float | None]]:
    """Dice of the clean and the attacked prediction of each class, as the records have it; None where they have none.

    Of a file that does not hold it, of each label up to the largest.
    """
    if volume.clean_dice.size:
        kept = zip(volume.clean_dice.tolist(), volume.attacked_dice.tolist(), strict=True)
        return [[None if math.isnan(dice) else dice for dice in of_class] for of_class in kept]
    largest = int(max(labels.max() for labels in (volume.target, volume.clean, volume.attacked)))
    rows: list[list[float | None]] = []
    for index in range(1, largest + 1):
        true, row = volume.target == index, list[float | None]()
        for labels in (volume.clean, volume.attacked):
            found = labels == index
            total = int(true.sum()) + int(found.sum())
            row.append(2 * int((true & found).sum()) / total if total else None)
        rows.append(row)
    return rows


def _labelled(volume: SavedVolume) -> Region:
    points = np.argwhere((volume.target > 0) | (volume.clean > 0) | (volume.attacked > 0))
    if not len(points):
        return slice(None), slice(None), slice(None)
    low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN + 1
    cuts = [slice(max(0, int(a)), int(b)) for a, b in zip(low, high, strict=True)]
    return cuts[0], cuts[1], cuts[2]


def _picture(image: NDArray[np.uint8], moved: NDArray[np.int8], labels: Sequence[NDArray[np.uint8]], z: int) -> str:
    """Axial slices side by side, for pages without scripts: image, perturbation, target, both predictions."""
    grey = image[:, :, z].astype(np.float32)
    panels = [np.repeat(grey[..., None], 3, axis=2)]
    strength = moved[:, :, z].astype(np.float32)[..., None] / 127
    warm, cold = np.array([255.0, 138.0, 60.0]), np.array([80.0, 160.0, 255.0])
    panels.append(np.maximum(strength, 0) * warm + np.maximum(-strength, 0) * cold)
    colours = np.array([rgb(colour) for colour in CLASS_COLOURS])
    for label in labels:
        index = label[:, :, z]
        panel = np.repeat(grey[..., None], 3, axis=2)
        shown = index > 0
        panel[shown] = 0.45 * panel[shown] + 0.55 * colours[(index[shown] - 1) % len(colours)]
        panels.append(panel)
    # As a radiologist looks: the patient's right on the left, anterior on top.
    flipped = [panel[::-1, ::-1].transpose(1, 0, 2) for panel in panels]
    gap = np.zeros((flipped[0].shape[0], 2, 3))
    strip = np.concatenate([part for panel in flipped for part in (panel, gap)][:-1], axis=1)
    zoom = max(1, 640 // strip.shape[1])
    return _png(np.clip(strip.repeat(zoom, axis=0).repeat(zoom, axis=1), 0, 255).astype(np.uint8))


def _png(pixels: NDArray[np.uint8]) -> str:
    """An RGB picture (H, W, 3) as a data URL."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\x00" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b""))
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()
