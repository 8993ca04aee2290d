"""How large the changed cuboid of the Square attack is at each query, and what shape it has."""

__all__ = ["changed_fraction", "cuboid_sides"]

# Iterations out of 10000 after which the fraction is halved once more.
HALVING_POINTS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
REFERENCE_BUDGET = 10000


def changed_fraction(iteration: int, num_queries: int, initial_fraction: float, *, rescale: bool = True) -> float:
    """Fraction of the volume that the proposal of an iteration changes.

    Args:
        iteration: counted from 0.
        num_queries: the budget onto which the schedule is stretched.
        initial_fraction: the fraction at iteration 0.
        rescale: stretch the schedule, made for 10000 queries, onto the budget; without it a small budget never gets
            past large cuboids.

    Source: Andriushchenko et al. 2020 (Square attack), as in the reference AutoAttack.
    """
    position = int(iteration / num_queries * REFERENCE_BUDGET) if rescale else iteration
    return initial_fraction / 2 ** sum(position > point for point in HALVING_POINTS)


def cuboid_sides(shape: tuple[int, int, int], fraction: float) -> tuple[int, int, int]:
    """Sides of the cuboid that holds a fraction of a volume [voxels].

    As near to a cube as fits: an axis that is too short gives all it has, and the longer ones make up for it.

    Args:
        shape: (D, H, W).
        fraction: of the voxels, in (0, 1].

    Source: the square of side sqrt(p h w) of Andriushchenko et al. 2020 for Linf, brought to three axes. The
        reference caps both sides at the shorter one, which would shrink the proposals of a flat patch.
    """
    wanted = fraction * shape[0] * shape[1] * shape[2]
    sides = [1, 1, 1]
    for num_left, axis in zip((3, 2, 1), sorted(range(3), key=lambda axis: shape[axis]), strict=True):
        sides[axis] = min(shape[axis], max(1, round(wanted ** (1 / num_left))))
        wanted /= sides[axis]
    return sides[0], sides[1], sides[2]
