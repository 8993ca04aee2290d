"""Parameters that make the corruptions of a data set equally visible: found by bisection on a few cases."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from rogseg.cases import case_generator
from rogseg.corruptions import Corruption, Scan, find_parameter
from rogseg.engine.case_selection import spread
from rogseg.engine.corrupting.raw_scan import RawScan
from rogseg.engine.corrupting.settings import CorruptionSettings
from rogseg.metrics import image_range, structural_similarity
from rogseg.storage import RawCase
from rogseg.systems import System

__all__ = ["calibrated", "corrupt_case", "parse_calibration"]

MOST_CASES = 3
"""That a parameter is fitted to."""


def parse_calibration(text: str) -> tuple[float, ...]:
    """Read ``ssim=0.9`` or ``ssim=0.95,0.9,0.8``: a target for severity 1, 2, ...

    Raises:
        ValueError: it is something else, or the targets do not fall between 1 and 0.
    """
    name, separator, values = text.partition("=")
    try:
        targets = tuple(float(value) for value in values.split(","))
    except ValueError:
        targets = ()
    falls = all(a > b for a, b in zip((1.0, *targets), (*targets, 0.0), strict=True))
    if name.lower() != "ssim" or not separator or not 1 <= len(targets) <= 5 or not falls:
        raise ValueError(f"--calibrate is {text!r}; give ssim=0.9, or up to five falling targets: ssim=0.95,0.9,0.8")
    return targets


def calibrated(
    system: System,
    cases: Sequence[RawCase],
    settings: CorruptionSettings,
    targets: Sequence[float],
    seed: int,
) -> CorruptionSettings:
    """The same corruptions with parameters whose mean SSIM over a few cases is that of the targets.

    Args:
        system: whose channels the cases have.
        cases: of the evaluation; at most three, spread over them, are looked at.
        settings: which corruptions.
        targets: of severity 1, 2, ..., falling.
        seed: of the evaluation: its own draws are fitted.

    Raises:
        ValueError: a case cannot be read, or no corruption reaches any target.
    """
    by_id = {case.case_id: case for case in cases}
    looked_at = spread(tuple(by_id), MOST_CASES, 0)
    scans = {case_id: RawScan.read(system, by_id[case_id], settings.modalities).scan for case_id in looked_at}
    chosen, reached = [], dict[str, list[float]]()
    for one in settings.chosen:
        found = [
            find_parameter(one.corruption.severities, _Similarity(one.name, one.corruption, scans, seed), target)
            for target in targets
        ]
        fits = {severity: fit for severity, fit in enumerate(found, 1) if fit is not None}
        chosen.append(dataclasses.replace(one, parameters={severity: fit.parameter for severity, fit in fits.items()}))
        reached[one.name] = [round(fit.reached, 3) for fit in fits.values()]
    if not any(one.parameters for one in chosen):
        asked = ", ".join(f"{target:g}" for target in targets)
        raise ValueError(f"--calibrate: no corruption takes the similarity of these images to any of {asked}")
    return dataclasses.replace(
        settings,
        chosen=tuple(chosen),
        severities=tuple(range(1, len(targets) + 1)),
        calibration={"SSIM": list(targets), "reached": reached, "cases": list(looked_at)},
    )


def corrupt_case(name: str, corruption: Corruption, scan: Scan, parameter: float, case_id: str, seed: int) -> Scan:
    """Corrupt the scan of a case with draws of its own, the same at every parameter."""
    return corruption.at(scan, parameter, case_generator(seed, f"{case_id}/{name}", 0.0, "cpu"))


class _Similarity:
    """Mean SSIM of corrupted scans to their originals, by parameter; each is looked at once."""

    def __init__(self, name: str, corruption: Corruption, scans: dict[str, Scan], seed: int) -> None:
        self.name, self.corruption, self.scans, self.seed = name, corruption, scans, seed
        self.known: dict[float, float] = {}

    def __call__(self, parameter: float) -> float:
        if parameter not in self.known:
            values = []
            for case_id, scan in self.scans.items():
                made = corrupt_case(self.name, self.corruption, scan, parameter, case_id, self.seed)
                before = np.asarray(scan.voxels)
                values.append(structural_similarity(before, np.asarray(made.voxels), image_range(before)))
            self.known[parameter] = math.fsum(values) / len(values)
        return self.known[parameter]
