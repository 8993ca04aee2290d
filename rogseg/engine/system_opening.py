"""SystemNames: how a system was opened, small enough to travel, so that workers open the same."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rogseg.engine.device import choose_device
from rogseg.engine.host_memory import keep_freed_memory
from rogseg.engine.model.open_system import open_system
from rogseg.systems import System

__all__ = ["SystemNames"]


@dataclasses.dataclass(frozen=True)
class SystemNames:
    """What a person called a system, and what it turned out to be.

    Args:
        names: as `open_system` takes them.
        digest: of the system that the driver opened.
        task: folder of the stored task, where the config has no plan.
        device: as the user wrote it; None takes a GPU where the worker has one.
        cfg_options: overrides of the config.
        trust: whether whoever made a bundle or an exported program may run code.
    """

    names: tuple[str, ...]
    digest: str
    task: Path | None = None
    device: str | None = None
    cfg_options: tuple[str, ...] = ()
    trust: bool = False

    @classmethod
    def of(
        cls,
        names: Sequence[str | Path],
        system: System,
        *,
        task: str | Path | None,
        device: str | None,
        cfg_options: Sequence[str],
        trust: bool = False,
    ) -> Self:
        """Of a system that was opened here; files are named so that a worker finds them wherever it starts."""
        found = tuple(str(Path(name).absolute() if Path(name).exists() else name) for name in names)
        where = None if task is None else Path(task).absolute()
        return cls(found, system.identity.digest, where, device, tuple(cfg_options), trust)

    def open(self) -> tuple[System, str]:
        """The system, and the device that it is on.

        Raises:
            ValueError: it cannot be opened, or is another one than the driver's.
        """
        device = str(choose_device(self.device))
        if device == "cpu":
            keep_freed_memory()
        system = open_system(
            self.names, device=device, task_dir=self.task, overrides=self.cfg_options, trust=self.trust
        ).system
        if system.identity.digest != self.digest:
            raise ValueError(
                f"{' '.join(self.names)}: a worker found another system under this name than the process that asked "
                "for the work: let both see the same files"
            )
        return system, device
