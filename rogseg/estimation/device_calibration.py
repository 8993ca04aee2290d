"""DeviceCalibration: what the passes of some tasks' networks took on one kind of device, kept as a file."""

import dataclasses
from pathlib import Path

from rogseg.estimation.calibration import Calibration
from rogseg.foreign import decode, read_json

__all__ = ["DeviceCalibration", "DeviceCount", "parse_devices"]


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
    if not (number.isdecimal() and int(number) and kind.strip()):
        raise ValueError(
            f"--cluster is {text!r}: write the number and the kind of devices, for instance 8xA100 or 2xcpu"
        )
    return DeviceCount(int(number), kind.strip())
