"""The processes of one training: joining, leaving, and the device and rank of this one."""

import gc
import os

import torch
import torch.distributed
from mmengine.config import Config

from rogseg.engine.device import choose_device

__all__ = ["connect", "device_of", "disconnect", "is_first", "place", "wait_for_all"]


def device_of(config: Config) -> torch.device:
    """The device of this process.

    Raises:
        ValueError: there is no such device.
    """
    device = choose_device(config.device)
    if str(device) == "cuda" and config.launcher == "pytorch":
        return torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    return device


def connect(config: Config) -> None:
    """Join the other processes, where there are some; MMEngine's own way in needs a GPU.

    Raises:
        ValueError: the launcher is unknown, or torchrun was not used.
    """
    if config.launcher == "none" or torch.distributed.is_initialized():
        return
    if "RANK" not in os.environ:
        raise ValueError("launcher is 'pytorch', which needs torchrun: torchrun --nproc-per-node 2 -m rogseg train ...")
    device = device_of(config)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store, rank, size = next(torch.distributed.rendezvous("env://"))  # type: ignore[attr-defined]
    # torchrun restarts processes on the store of those before them, whose addresses still stand there: PyTorch 2.13
    # would call them, and end.
    restart = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    store = torch.distributed.PrefixStore(f"restart {restart}", store)  # type: ignore[attr-defined]
    backend = "nccl" if device.type == "cuda" else "gloo"
    torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=size)


def disconnect() -> None:
    """Leave the other processes, where there are some, once nothing of the training is needed.

    Threads of gloo live as long as anything refers to their group, and a finished training still does, in cycles. One
    that lets go of a tensor while the interpreter shuts down aborts the process, so the cycles are collected before.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
        gc.collect()


def place() -> tuple[int, int]:
    """Rank of this process, and their number."""
    if not torch.distributed.is_initialized():
        return 0, 1
    return torch.distributed.get_rank(), torch.distributed.get_world_size()


def is_first() -> bool:
    """Whether this process writes what there is one of."""
    return place()[0] == 0


def wait_for_all() -> None:
    """Go on once every process has come here, so that what the first one wrote is there for all."""
    if place()[1] > 1:
        torch.distributed.barrier()
