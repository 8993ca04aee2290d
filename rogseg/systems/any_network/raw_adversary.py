"""An adversarial case of a network of anybody's as a raw volume."""

from collections.abc import Sequence

from torch import Tensor

from rogseg.cases import Case
from rogseg.preprocessing import Volume, is_resampled, moves_to_raw_grid, read_image
from rogseg.storage import CaseProperties, RawCase
from rogseg.systems.any_network.intensity import (
    Function,
    IntensityStep,
    NormalizeIntensity,
    ScaleIntensity,
    ScaleIntensityRangePercentiles,
)
from rogseg.systems.moved_values import moved_volume, raw_moves

__all__ = ["raw_adversary"]


def raw_adversary(raw: RawCase, case: Case, adversarial: Tensor, steps: Sequence[IntensityStep]) -> Volume:
    """The raw image, moved as the prepared case was moved; see `System.raw_adversary`.

    Args:
        raw: the case's files.
        case: as it was prepared, whole.
        adversarial: (1, C, D, H, W) [network units].
        steps: what was done with its intensities.

    Raises:
        ValueError: a file cannot be used, or an intensity function does not say what it makes of raw units.
    """
    properties: CaseProperties = case.properties
    if not case.raw_width:
        raise ValueError(
            f"case {case.case_id!r}: give the Function of inputs.intensity its raw_lower and raw_upper; without, its "
            "adversarial volumes cannot be brought back to files"
        )
    volume = read_image(raw.images, case.inputs.shape[1])
    windows = list(zip(properties.raw_lower, properties.raw_upper, strict=True))
    keeps_range = any(isinstance(step, ScaleIntensity) for step in steps)
    notes = ["its grid is resampled"] if is_resampled(properties) else []
    if any(isinstance(step, NormalizeIntensity) and None in (step.subtrahend, step.divisor) for step in steps):
        notes.append("it is normalised by the case's own mean and deviation, which move with its voxels")
    if any(isinstance(step, NormalizeIntensity) and step.nonzero for step in steps):
        notes.append("its normalisation leaves voxels of 0 out, channel by channel: what moves from or to 0 jumps")
    if any(isinstance(step, ScaleIntensityRangePercentiles) for step in steps):
        notes.append("it is rescaled by percentiles of the case, which move with its voxels")
    if any(isinstance(step, Function) for step in steps):
        notes.append("its Function is taken for a line from raw_lower to raw_upper")
    moves = moves_to_raw_grid(raw_moves(case, adversarial), properties)
    return moved_volume(volume, moves, windows, [keeps_range] * len(windows), notes)
