import itertools
import math

from rogseg.estimation.calibration import MAX_ROUNDS, Calibration, PassSeconds, calibrate, smaller_patches
from rogseg.task_plan import Triple

LIVER: Triple = (192, 192, 96)
SMALLEST: Triple = (64, 64, 64)


class Machine:
    """A network that takes 6 seconds per 64^3 voxels for a round, and twice as long in its very first one."""

    def __init__(self) -> None:
        self.sizes: list[Triple] = []
        self.spent = 0.0

    def __call__(self, size: Triple) -> PassSeconds:
        factor = math.prod(size) / 64**3 * (1 if self.sizes else 2)
        self.sizes.append(size)
        seconds = PassSeconds(1, 2, 3).scaled(factor)
        self.spent += seconds.total
        return seconds


def test_patches_become_smaller() -> None:
    assert smaller_patches((32, 48, 32)) == [(32, 48, 32)]
    sizes = smaller_patches(LIVER)
    assert sizes[:3] == [LIVER, (96, 192, 96), (96, 96, 96)]
    assert sizes[-1] == SMALLEST
    assert all(math.prod(small) < math.prod(large) for large, small in itertools.pairwise(sizes))


def test_enough_time_goes_to_the_real_patch() -> None:
    machine = Machine()
    found = calibrate(machine, smaller_patches(LIVER), 1000)
    assert found == Calibration(LIVER, MAX_ROUNDS, PassSeconds(13.5, 27, 40.5))
    assert machine.spent <= 1000


def test_less_time_goes_to_a_smaller_patch_and_is_kept() -> None:
    machine = Machine()
    found = calibrate(machine, smaller_patches(LIVER), 90)
    assert found.size == (96, 96, 96)
    assert machine.spent <= 90
    assert found.at(LIVER) == PassSeconds(13.5, 27, 40.5)


def test_the_smallest_patch_is_always_timed() -> None:
    machine = Machine()
    found = calibrate(machine, smaller_patches(LIVER), 0.1)
    assert found == Calibration(SMALLEST, 1, PassSeconds(1, 2, 3))
    assert machine.sizes == [SMALLEST, SMALLEST]
