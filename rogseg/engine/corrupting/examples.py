"""A picture of what was done to the images: one slice of one case under every corruption."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rogseg.corruptions import Scan
from rogseg.engine.corrupting.calibrate import corrupt_case
from rogseg.engine.corrupting.raw_scan import RawScan
from rogseg.engine.corrupting.settings import CorruptionSettings
from rogseg.report.figures.corruption_examples import plot_corruption_examples
from rogseg.storage import RawCase
from rogseg.systems import System

__all__ = ["write_examples"]


def write_examples(system: System, raw: RawCase, settings: CorruptionSettings, seed: int, path: Path) -> None:
    """Write a PNG of the first channel's slice with most foreground, as the evaluation corrupts this case.

    Raises:
        ValueError: the case cannot be read.
    """
    scan = RawScan.read(system, raw, settings.modalities).scan
    index = _fullest_slice(scan)
    made: dict[str, dict[int, NDArray[np.float32]]] = {}
    for chosen, severity in settings.pairs:
        corrupted = corrupt_case(chosen.name, chosen.corruption, scan, chosen.parameters[severity], raw.case_id, seed)
        made.setdefault(chosen.name, {})[severity] = _slice(corrupted, index)
    title = f"{raw.case_id}, slice {index}: every corruption by severity"
    plot_corruption_examples(_slice(scan, index), made, path, title=title)


def _fullest_slice(scan: Scan) -> int:
    assert scan.labels is not None, "only labelled cases are corrupted"
    counts = (scan.labels > 0).sum(scan.plane_axes)
    return int(counts.argmax())


def _slice(scan: Scan, index: int) -> NDArray[np.float32]:
    taken: NDArray[np.float32] = scan.voxels[0].select(scan.slice_axis, index).numpy()
    return taken
