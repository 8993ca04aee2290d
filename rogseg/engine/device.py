"""Which device a run takes, by the name that a user gives it."""

import torch

__all__ = ["choose_device", "num_gpus"]

HINT = "write cpu, cuda, cuda:N or mps, or leave it out to take a GPU where there is one"


def choose_device(name: str | torch.device | None) -> torch.device:
    """The device of that name; None takes cuda where there is one.

    Raises:
        ValueError: there is no such device here.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device is {name!r}, which is unknown: {HINT}") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ValueError(f"device is {name!r}, but this installation of torch sees no GPU: pass --device cpu")
        if device.index is not None and device.index >= torch.cuda.device_count():
            raise ValueError(f"device is {name!r}, but there are only {torch.cuda.device_count()} GPUs, from cuda:0 on")
    elif device.type == "mps":
        if not torch.backends.mps.is_available():
            raise ValueError(f"device is {name!r}, but this installation of torch sees no Apple GPU: pass --device cpu")
    elif device.type != "cpu":
        raise ValueError(f"device is {name!r}, which networks are not run on: {HINT}")
    return device


def num_gpus() -> int:
    """How many GPUs this process sees."""
    return torch.cuda.device_count()
