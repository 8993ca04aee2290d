"""Workers for the cases of an evaluation: the system and the cases in the small form that travels to them."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from rich.console import Console

from rogseg.engine.evaluated_system import record_versions
from rogseg.engine.model.open_system import OpenedSystem, open_system
from rogseg.progress import ProgressDisplay
from rogseg.storage import RawCase
from rogseg.systems import CaseSource, RawCases, StoredCases, System
from rogseg.workers import Opener, Workers, open_workers

__all__ = ["CarriedCases", "SystemNames", "workers_at"]


@dataclasses.dataclass(frozen=True)
class SystemNames:
    """What a person called a system; small enough to travel, so that workers open what the driver opened.

    Args:
        names: as `open_system` takes them.
        task: folder of the stored task, where the config has no plan.
        device: as the user wrote it; None takes what a Python config says, else a GPU where there is one.
        cfg_options: overrides of the config.
        trust: whether whoever made a bundle or an exported program may run code.
        digest: of the system that the driver opened; None in the driver.
        components: configs that name what else the records depend on, such as an attack and measures.
        versions: of rogseg and of own code, as the driver found them.
    """

    names: Sequence[str | Path]
    task: str | Path | None = None
    device: str | None = None
    cfg_options: Sequence[str] = ()
    trust: bool = False
    digest: str | None = None
    components: tuple[Any, ...] = ()
    versions: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def of(self, system: System, *components: Any) -> Self:
        """For workers, once it was opened here: files are named so that a worker finds them wherever it starts.

        Args:
            system: as it was opened here.
            components: configs that name what else the records depend on.
        """
        found = tuple(str(Path(name).absolute() if Path(name).exists() else name) for name in self.names)
        task = None if self.task is None else Path(self.task).absolute()
        return dataclasses.replace(
            self,
            names=found,
            task=task,
            cfg_options=tuple(self.cfg_options),
            digest=system.identity.digest,
            components=components,
            versions=_versions(system, components),
        )

    def open(self) -> OpenedSystem:
        """The system.

        Raises:
            ValueError: it cannot be opened, or it or what else the records depend on is not what the driver has.
        """
        opened = open_system(
            self.names, device=self.device, task_dir=self.task, overrides=self.cfg_options, trust=self.trust
        )
        if self.digest not in (None, opened.system.identity.digest):
            raise ValueError(
                f"{' '.join(map(str, self.names))}: a worker found another system under this name than the process "
                "that asked for the work: let both see the same files"
            )
        now = _versions(opened.system, self.components)
        if self.digest is not None and (differing := [key for key in now if now[key] != self.versions[key]]):
            raise ValueError(
                f"a worker found another {' and another '.join(differing)} than the process that asked for the work: "
                "let both see the same files, change none of your own components while they work, and run the command "
                "again"
            )
        return opened


def _versions(system: System, components: Sequence[Any]) -> dict[str, Any]:
    """What two processes must agree on beside the digest of the system; by the words for it."""
    made = record_versions(*components)
    return {
        "version of rogseg": (made["rogseg"], made["schema"]),
        "code of your own components": (made.get("own_code"), system.identity.options.get("own_code")),
    }


@dataclasses.dataclass(frozen=True)
class CarriedCases:
    """Cases by the names of their files, which lie where each worker sees them, under the same path.

    Args:
        cases: a stored task, or raw cases by their ids.
        task: its name.
    """

    cases: StoredCases | Mapping[str, RawCase]
    task: str

    @classmethod
    def of(cls, source: CaseSource, case_ids: Sequence[str]) -> Self:
        """Some cases of a source.

        Raises:
            ValueError: its cases are in this process alone.
        """
        if isinstance(source, StoredCases):
            return cls(source, source.task)
        if isinstance(source, RawCases):
            return cls({case_id: source.raw(case_id) for case_id in case_ids}, source.task)
        raise ValueError(f"{source.task}: its cases are in this process alone, where no worker can read them")

    def open(self, system: System) -> CaseSource:
        """The source again, for a system that the worker opened."""
        if isinstance(self.cases, StoredCases):
            return self.cases
        return RawCases(system, tuple(self.cases.values()), self.task)


@contextlib.contextmanager
def workers_at(
    work: str, opener: Opener, device: str | None, num_workers: int | None, cluster: str | None, console: Console
) -> Iterator[tuple[Workers[Any, Any] | None, ProgressDisplay]]:
    """The workers of `open_workers`, None where that is this process alone, and what shows how far ``work`` is.

    Raises:
        ValueError: less than one worker, or a cluster that does not answer.
    """
    num_gpus = torch.cuda.device_count()
    workers = open_workers(opener, num_workers=num_workers, cluster=cluster, device=device, num_gpus=num_gpus)
    with workers or contextlib.nullcontext(), ProgressDisplay(work, console=console) as progress:
        yield workers, progress
