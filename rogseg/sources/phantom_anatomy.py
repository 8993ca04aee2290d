"""Draw the anatomy of a phantom: which tissue each voxel is made of."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["AIR", "BONE", "FAT", "FIRST_STRUCTURE", "SLAB", "TISSUE", "VESSEL", "draw_anatomy", "slabs", "smooth_field"]

# Codes of the tissue map; structure k (0 the organ, 1 its lesions, 2, 3, ... further organs) is FIRST_STRUCTURE + k.
AIR, FAT, TISSUE, BONE, VESSEL, FIRST_STRUCTURE = 0, 1, 2, 3, 4, 5
# Slices that are worked on at once: a 512x512x200 volume never needs a second grid of floats.
SLAB = 16

Axes = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclasses.dataclass(frozen=True)
class _Ellipsoid:
    """Centre and half axes, as fractions of half the volume's extent."""

    center: tuple[float, float, float]
    radii: tuple[float, float, float]

    def radius(self, axes: Axes) -> NDArray[np.float32]:
        """Distance to the centre in units of the half axes."""
        x, y, z = (
            ((axis - center) / radius) ** 2 for axis, center, radius in zip(axes, self.center, self.radii, strict=True)
        )
        return np.sqrt(x + y + z)


def slabs(depth: int) -> Iterator[slice]:
    """Ranges of slices that cover the third axis."""
    return (slice(start, min(start + SLAB, depth)) for start in range(0, depth, SLAB))


def smooth_field(rng: np.random.Generator, num_waves: int = 5) -> "SmoothField":
    """A random smooth function of space with values around +-1."""
    return SmoothField(rng.uniform(0.6, 1.8, (num_waves, 3)), rng.uniform(0, 2 * np.pi, (num_waves, 3)))


@dataclasses.dataclass(frozen=True)
class SmoothField:
    """Sum of products of cosines: separable, hence as cheap as a multiplication per voxel and wave."""

    frequencies: NDArray[np.float64]
    phases: NDArray[np.float64]

    def __call__(self, axes: Axes) -> NDArray[np.float32]:
        """Values on the grid that the three axes (each shaped for broadcasting, in [-1, 1]) span."""
        total = np.zeros((1, 1, 1), dtype=np.float32)
        for frequency, phase in zip(self.frequencies, self.phases, strict=True):
            x, y, z = (
                np.cos(np.pi * f * axis + p).astype(np.float32)
                for axis, f, p in zip(axes, frequency, phase, strict=True)
            )
            total = total + x * y * z
        return np.asarray(total / np.sqrt(len(self.phases) / 8), dtype=np.float32)


def grid_axes(shape: tuple[int, int, int], part: slice) -> Axes:
    """The three axes in [-1, 1], shaped for broadcasting, the third cut to `part`."""
    x, y, z = (((2 * np.arange(n) + 1) / n - 1).astype(np.float32) for n in shape)
    return x[:, None, None], y[None, :, None], z[None, None, part]


def draw_anatomy(shape: tuple[int, int, int], num_structures: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Tissue codes (D, H, W) of one random case: a body with fat and spine, an organ with lesions, further organs."""
    body = _Ellipsoid(_jitter(rng, (0, 0, 0), 0.04), (rng.uniform(0.82, 0.92), rng.uniform(0.74, 0.84), 1e3))
    spine = _Ellipsoid(_jitter(rng, (0, -0.55, 0), 0.03), (0.13, 0.13, 1e3))
    # As bright as the organ and no part of it: intensity alone must not solve the task.
    vessel = _Ellipsoid(_jitter(rng, (0.15, -0.3, 0), 0.08), (0.08, 0.08, rng.uniform(0.5, 1.2)))
    organ = _Ellipsoid(_jitter(rng, (-0.33, 0.08, 0), 0.08), _radii(rng, 0.34, 0.44))
    lesions = [_lesion(organ, shape, rng) for _ in range(rng.integers(1, 4))]
    others = [_other_organ(place, num_structures - 2, rng) for place in range(num_structures - 2)]
    bend = smooth_field(rng)
    tissue = np.empty(shape, dtype=np.uint8)
    for part in slabs(shape[2]):
        axes = grid_axes(shape, part)
        wobble = 1 + 0.13 * bend(axes)
        codes = np.full((shape[0], shape[1], wobble.shape[2]), AIR, dtype=np.uint8)
        depth = body.radius(axes)
        codes[depth < 1] = FAT
        codes[depth < 0.88] = TISSUE
        codes[np.broadcast_to(spine.radius(axes) < 1, codes.shape)] = BONE
        for place, other in enumerate(others):
            codes[(other.radius(axes) < wobble) & (codes == TISSUE)] = FIRST_STRUCTURE + 2 + place
        codes[(vessel.radius(axes) < wobble) & (codes == TISSUE)] = VESSEL
        inside = (organ.radius(axes) < wobble) & (codes == TISSUE)
        codes[inside] = FIRST_STRUCTURE
        if num_structures > 1:
            for lesion in lesions:
                codes[(lesion.radius(axes) < wobble) & inside] = FIRST_STRUCTURE + 1
        tissue[:, :, part] = codes
    return tissue


def _jitter(rng: np.random.Generator, center: tuple[float, float, float], amount: float) -> tuple[float, float, float]:
    x, y, z = np.asarray(center) + rng.uniform(-amount, amount, 3)
    return float(x), float(y), float(z)


def _radii(rng: np.random.Generator, low: float, high: float) -> tuple[float, float, float]:
    x, y, z = rng.uniform(low, high, 3)
    return float(x), float(y), float(z)


def _lesion(organ: _Ellipsoid, shape: tuple[int, int, int], rng: np.random.Generator) -> _Ellipsoid:
    """A lesion around a point in the inner half of the organ, never under three voxels wide."""
    direction = rng.standard_normal(3)
    offset = direction / np.linalg.norm(direction) * rng.uniform(0, 0.55) * np.asarray(organ.radii)
    x, y, z = np.maximum(rng.uniform(0.1, 0.2, 3), 3.2 / np.asarray(shape))
    center = np.asarray(organ.center) + offset
    return _Ellipsoid((center[0], center[1], center[2]), (float(x), float(y), float(z)))


def _other_organ(place: int, count: int, rng: np.random.Generator) -> _Ellipsoid:
    """A small organ on an arc on the far side of the body, so that all of them fit beside the large one."""
    angle = np.deg2rad(-60 + 160 * (place + 0.5) / count)
    center = (0.45 * np.cos(angle), 0.42 * np.sin(angle), 0.3 * (-1) ** place)
    return _Ellipsoid(_jitter(rng, center, 0.03), _radii(rng, 0.17, 0.21))
