"""Patches between the real one and one that any machine computes in a moment."""

from rogseg.task_plan import Triple

__all__ = ["smaller_patches", "voxel_ratio"]

# Memory and time grow with the voxels only while the deepest level, up to 32 times coarser, is not all rounding.
SMALLEST = 64
STEP = 32


def smaller_patches(patch: Triple) -> list[Triple]:
    """The patch itself, then ever smaller ones, the longest axis halved each time; the last has no axis above 64."""
    sizes = [patch]
    while max(sizes[-1]) > SMALLEST:
        lengths = list(sizes[-1])
        axis = lengths.index(max(lengths))
        lengths[axis] = max(SMALLEST, -(-lengths[axis] // (2 * STEP)) * STEP)
        sizes.append((lengths[0], lengths[1], lengths[2]))
    return sizes


def voxel_ratio(size: Triple, other: Triple) -> float:
    """How many times the voxels of ``other`` a size has."""
    return (size[0] * size[1] * size[2]) / (other[0] * other[1] * other[2])
