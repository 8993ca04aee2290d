"""Raw voxels moved as an adversary asks, so that a file with them is seen as the network saw the adversarial case."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rogseg.cases import Case
from rogseg.preprocessing import Volume

__all__ = ["Window", "moved_volume", "raw_moves"]

Voxels = NDArray[np.float64]
Window = tuple[float, float] | None
"""What preprocessing clips a channel to [raw units]; None where it does not clip."""

SMALLEST_SHARE = 1e-6  # of a window: rounding of raw numbers


def raw_moves(case: Case, adversarial: Tensor) -> Voxels:
    """How far each voxel of a prepared case was moved, (C, D, H, W) on the network's grid [raw units].

    Args:
        case: as it was prepared, whole.
        adversarial: (1, C, D, H, W) [network units].
    """
    scale = np.array(case.raw_width) / case.box.width.flatten().double().cpu().numpy()
    return (adversarial.detach().double() - case.inputs.double())[0].cpu().numpy() * scale[:, None, None, None]


def moved_volume(
    volume: Volume, moves: Voxels, windows: Sequence[Window], keeps_range: Sequence[bool], notes: Sequence[str] = ()
) -> Volume:
    """A raw volume after a move.

    A voxel beyond the window is seen as its end: where it moves, it moves from there and stays inside, and where it
    does not, it stays what it was.

    Args:
        volume: the raw image, (C, D, H, W).
        moves: same shape [raw units], 0 where nothing moves.
        windows: of each channel.
        keeps_range: whether a channel is normalised by the case's own lowest and highest voxel, so that moving these
            would change how all others are seen.
        notes: why the volume is seen otherwise than it was attacked.

    Returns:
        The volume; its notes are those that were given, and what the kept range costs.
    """
    values, said = np.empty_like(volume.array), list(notes)
    for channel, (raw, moved, window) in enumerate(zip(volume.array, moves, windows, strict=True)):
        before = raw.astype(np.float64)
        after = np.where(moved != 0, _inside(_inside(before, window) + moved, window), before)
        if keeps_range[channel]:
            displaced = _keep_range(after, before, window)
            said += [
                f"one voxel keeps the {end} intensity of channel {channel}, which the case is rescaled by, and is seen "
                f"{share:.2%} of the range away from where it was moved"
                for end, share in displaced.items()
            ]
        values[channel] = after
    return dataclasses.replace(volume, array=values, notes=tuple(said))


def _inside(values: Voxels, window: Window) -> Voxels:
    return values if window is None else np.clip(values, *window)


def _keep_range(values: Voxels, raw: Voxels, window: Window) -> dict[str, float]:
    """Give one voxel of the lowest and one of the highest raw intensity back what it was, in place.

    Of several the one is taken that is seen where the adversary wanted it, if there is one.

    Returns:
        How far from its place a kept voxel is seen, as a share of the range; nothing for one that is in place.
    """
    lowest, highest = window or (raw.min(), raw.max())
    displaced = {}
    for end, extreme in (("lowest", raw.min()), ("highest", raw.max())):
        candidates = np.flatnonzero(raw == extreme)
        off = np.abs(_inside(values.flat[candidates], window) - _inside(extreme, window))
        nearest = int(off.argmin())
        values.flat[candidates[nearest]] = extreme
        share = float(off[nearest] / (highest - lowest))
        if share > SMALLEST_SHARE:
            displaced[end] = share
    # Without a window nothing keeps others from leaving the range.
    np.clip(values, raw.min(), raw.max(), out=values)
    return displaced
