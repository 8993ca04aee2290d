"""Going through a volume a few planes at a time."""

from collections.abc import Iterator

__all__ = ["slabs"]

_SLAB = 2**18  # voxels; large enough that Python's share is small, small enough for the cache


def slabs(num_planes: int, plane_size: int) -> Iterator[slice]:
    """Slices that cover all planes, a few at a time, so that what is computed of them needs little memory."""
    step = max(1, _SLAB // plane_size)
    for start in range(0, num_planes, step):
        yield slice(start, min(start + step, num_planes))
