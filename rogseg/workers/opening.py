"""open_workers: from what a command line says to the workers that do it."""

import os
from typing import Any

from rogseg.workers.base import Workers
from rogseg.workers.case_worker import Opener
from rogseg.workers.local_processes import VISIBLE_GPUS, LocalProcesses
from rogseg.workers.ray_cluster import RayCluster

__all__ = ["open_workers"]


def open_workers(
    opener: Opener,
    *,
    num_workers: int | None = None,
    cluster: str | None = None,
    device: str | None = None,
    num_gpus: int = 0,
) -> Workers[Any, Any] | None:
    """The workers that ``--num-workers`` and ``--cluster`` ask for; None where that is this process alone.

    Args:
        opener: what each of them opens once.
        num_workers: None is one, or on a cluster as many as it has GPUs or processors.
        cluster: ``local`` or the address of a Ray cluster; None starts plain processes.
        device: that was asked for; None and ``cuda`` give each worker a GPU, or a share of one, where there is any.
        num_gpus: that this machine has.

    Raises:
        ValueError: less than one worker, or a cluster that does not answer.
    """
    if num_workers is not None and num_workers < 1:
        raise ValueError(f"--num-workers is {num_workers}, it must be at least 1")
    on_gpus = device in (None, "cuda")
    if cluster is not None:
        return RayCluster(opener, cluster, num_workers, with_gpus=on_gpus)
    if num_workers is None or num_workers == 1:
        return None
    visible = os.environ.get(VISIBLE_GPUS)
    names = visible.split(",") if visible else [str(number) for number in range(num_gpus)]
    return LocalProcesses(opener, num_workers, names[:num_gpus] if on_gpus else ())
