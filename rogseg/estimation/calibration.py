"""How long the passes of networks take on a device, within a budget of seconds, and what is kept of it as a file."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from rogseg.foreign import decode, read_json
from rogseg.task_plan import Triple

__all__ = [
    "Calibration",
    "DeviceCalibration",
    "DeviceCount",
    "PassSeconds",
    "calibrate",
    "parse_devices",
    "smaller_patches",
    "voxel_ratio",
]

MAX_ROUNDS = 5
# Memory and time grow with the voxels only while the deepest level, up to 32 times coarser, is not all rounding.
SMALLEST = 64
STEP = 32


@dataclasses.dataclass(frozen=True)
class PassSeconds:
    """Wall time of one patch [s].

    Args:
        forward: without a graph.
        input_gradient: forward and backward to the inputs, which is what attacks ask for.
        training_step: forward, backward to the weights, update.
    """

    forward: float
    input_gradient: float
    training_step: float

    @property
    def total(self) -> float:
        """One of each [s]."""
        return self.forward + self.input_gradient + self.training_step

    def scaled(self, factor: float) -> "PassSeconds":
        """Of a patch with so many times the voxels."""
        return PassSeconds(self.forward * factor, self.input_gradient * factor, self.training_step * factor)


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What was measured.

    Args:
        size: of the patch that was timed [voxels].
        rounds: how often; ``seconds`` are medians over them.
        seconds: of that patch.
    """

    size: Triple
    rounds: int
    seconds: PassSeconds

    def at(self, size: Triple) -> PassSeconds:
        """Seconds of a patch of another size, by its voxels."""
        return self.seconds.scaled(voxel_ratio(size, self.size))


def calibrate(run_round: Callable[[Triple], PassSeconds], sizes: Sequence[Triple], budget: float) -> Calibration:
    """Time the largest patch that the budget admits.

    The smallest patch goes first: its first round, which also pays for what is loaded and tuned once, and a second
    one tell which of the others fits at least twice into what is left, once unmeasured and once measured.

    Args:
        run_round: runs each pass once at a size.
        sizes: from the real patch down to the smallest.
        budget: wall time [s]; the smallest patch is timed once even where that takes longer.
    """
    smallest = sizes[-1]
    first = run_round(smallest)
    spent = first.total
    if 2 * spent <= budget:
        first = run_round(smallest)
        spent += first.total

    def fits(size: Triple) -> bool:
        return spent + 2 * first.total * voxel_ratio(size, smallest) <= budget

    size = next((size for size in sizes if fits(size)), smallest)
    if size != smallest:
        spent += run_round(size).total
    measured: list[PassSeconds] = []
    while not measured or (len(measured) < MAX_ROUNDS and spent + measured[-1].total <= budget):
        measured.append(run_round(size))
        spent += measured[-1].total
    medians = [statistics.median(values) for values in zip(*map(dataclasses.astuple, measured), strict=True)]
    return Calibration(size, len(measured), PassSeconds(*medians))


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


@dataclasses.dataclass(frozen=True)
class DeviceCalibration:
    """Measured on one device; it tells the hours of such devices and of no others.

    Args:
        device: its name, as PyTorch gives it, or the processor's with the number of threads.
        networks: by the name of the task, what the network of its ``rog_standard`` config took.
    """

    device: str
    networks: dict[str, Calibration]

    @classmethod
    def load(cls, path: str | Path) -> "DeviceCalibration":
        """Read what ``rogseg estimate --calibrate`` wrote.

        Raises:
            ValueError: it is no such file.
        """
        remedy = "write one by rogseg estimate --calibrate on the device"
        try:
            return decode(read_json(Path(path), remedy), cls, "calibration")
        except ValueError as error:
            raise ValueError(f"{path}: not the calibration of a device ({error}); {remedy}") from error


@dataclasses.dataclass(frozen=True)
class DeviceCount:
    """So many devices of a kind."""

    number: int
    kind: str


def parse_devices(text: str) -> DeviceCount:
    """Read ``8xA100``.

    Raises:
        ValueError: it is not a number, an x and a kind of device.
    """
    number, _, kind = text.partition("x")
    if not (number.isascii() and number.isdecimal() and int(number) and kind.strip()):
        raise ValueError(
            f"--cluster is {text!r}: write the number and the kind of devices, for instance 8xA100 or 2xcpu"
        )
    return DeviceCount(int(number), kind.strip())
