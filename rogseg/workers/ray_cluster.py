"""RayCluster: workers that are actors of Ray, on one machine or on many."""

import dataclasses
import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any

from rogseg.workers.base import Content, Result
from rogseg.workers.case_worker import CaseWorker, Opener
from rogseg.workers.crew import Crew

__all__ = ["LOCAL", "RayCluster"]

LOCAL = "local"
# No report to its makers; and a worker without a GPU sees none.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
OBJECT_STORE = 128 * 2**20  # of a local cluster [bytes]: what travels is jobs and records


@dataclasses.dataclass(eq=False)
class _Member:
    actor: Any
    answer: Any = None  # reference to what comes


class RayCluster(Crew[_Member, Content, Result]):
    """Actors of a Ray cluster, with one processor each, and a GPU or a share of one where the cluster has any.

    Args:
        opener: what each opens once; what it names must lie under the same path on every machine.
        address: of a running cluster, such as ``ray://head:10001`` or ``auto``; ``local`` starts one on this machine.
        num_workers: how many; None is one per GPU of the cluster, or one per processor where it has none. More workers
            than GPUs share them evenly.
        with_gpus: whether workers are to see a GPU at all.

    Raises:
        ValueError: Ray is not installed, nothing answers at the address, or the cluster is too small.
    """

    def __init__(self, opener: Opener, address: str, num_workers: int | None, *, with_gpus: bool) -> None:
        self._ray = _ray()
        self._connect(address, num_workers)
        resources = self._ray.cluster_resources()
        num_cpus, num_gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0)) if with_gpus else 0
        if num_workers is None:
            num_workers = num_gpus or num_cpus
        if not 1 <= num_workers <= num_cpus:
            self._ray.shutdown()
            raise ValueError(
                f"--num-workers {num_workers}: the cluster {address} has {num_cpus} processors, each worker takes one"
            )
        super().__init__(opener, num_workers)
        # Whole GPUs where there are enough; else as many workers on each as it takes.
        self._share = 0.0 if not num_gpus else 1.0 / -(-num_workers // num_gpus)
        self._class = self._ray.remote(CaseWorker)

    def close(self) -> None:
        """End the workers, and the cluster where it was started here."""
        super().close()
        self._ray.shutdown()

    def _connect(self, address: str, num_workers: int | None) -> None:
        # Ray itself gives its workers as many threads as processors, which is one.
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if address == LOCAL:
            os.environ.update(_QUIET)
            options |= {"num_cpus": num_workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
        else:
            options["address"] = address
        try:
            self._ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(
                f"--cluster {address}: no Ray cluster answers there ({reason}); start one with 'ray start --head' and "
                "name its address, or write 'local'"
            ) from error

    def _hire(self) -> _Member:
        # Not restarted by Ray: a new worker is started here, so that deaths are counted in one place.
        options = {"num_cpus": 1, "num_gpus": self._share, "max_restarts": 0}
        return _Member(self._class.options(**options).remote(self.opener))

    def _is_alive(self, member: _Member) -> bool:
        return True  # as far as is known here; a dead one is found when it does not answer

    def _give(self, member: _Member, content: bytes) -> None:
        member.answer = member.actor.answer.remote(content)

    def _answers(self, members: Sequence[_Member]) -> Iterable[tuple[_Member, bytes | None]]:
        of_answer = {member.answer: member for member in members}
        ready, _ = self._ray.wait(list(of_answer), num_returns=1)
        for answer in ready:
            try:
                yield of_answer[answer], self._ray.get(answer)
            except self._ray.exceptions.RayTaskError:
                raise  # a worker's own error travels as an answer, so this is a bug
            except self._ray.exceptions.RayError:  # the worker, its machine, or the way to it is gone
                self._dismiss(of_answer[answer])
                yield of_answer[answer], None

    def _dismiss(self, member: _Member) -> None:
        self._ray.kill(member.actor)


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise ValueError("--cluster needs Ray, which is not installed: pip install 'rogseg[ray]'") from error
    return ray
