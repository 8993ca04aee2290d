"""AttackWorker: what a worker of an attack opens, and the files that whoever attacks a case writes of it."""

import dataclasses
from pathlib import Path

from rogseg.attacks import AttackResult
from rogseg.cases import Case
from rogseg.engine.attacking.case_attacker import CaseAttacker, OnResult
from rogseg.engine.attacking.robustness import make_attacker
from rogseg.engine.attacking.save_adversarial import AdversarialFolder
from rogseg.engine.attacking.save_volumes import VolumeWriter
from rogseg.engine.attacking.settings import AttackSettings
from rogseg.engine.case_finding import reference_width
from rogseg.engine.case_workers import CarriedCases, SystemNames
from rogseg.storage import RawTask
from rogseg.systems import CaseSource, Protocol, System

__all__ = ["AttackWorker", "SavedFiles"]


@dataclasses.dataclass(frozen=True)
class SavedFiles:
    """Which volumes of an attack become files.

    Args:
        directory: folder of the records.
        shown: ids of the cases that the report's viewer shows.
        raw: the task whose files adversarial volumes are made from; None writes none.
    """

    directory: Path
    shown: tuple[str, ...]
    raw: RawTask | None

    def adversaries(self, system: System, settings: AttackSettings, source: CaseSource) -> AdversarialFolder | None:
        """The adversarial volumes as files, where they are to be written."""
        if self.raw is None:
            return None
        return AdversarialFolder(
            self.directory / "adversarial", system, self.raw, source.load, settings.name, settings.label_of
        )

    def writer(self, system: System, settings: AttackSettings, source: CaseSource) -> OnResult:
        """What writes them."""
        writers: list[AdversarialFolder | VolumeWriter] = [
            VolumeWriter(self.directory, system, settings.name, self.shown, settings.label_of)
        ]
        if (made := self.adversaries(system, settings, source)) is not None:
            writers.append(made)

        def write(case: Case, epsilon: float, result: AttackResult) -> None:
            for writer in writers:
                writer.write(case, epsilon, result)

        return write


@dataclasses.dataclass(frozen=True)
class AttackWorker:
    """Opens in a worker what the driver opened: by the same names, from the same files.

    Volumes do not travel: a worker reads its cases, and writes those that are to be kept. So the folders of the cases
    and of the records lie where each worker sees them, under the same path.

    Args:
        system: as the driver opened it.
        attack: config of the attack.
        attack_options: for keys of it.
        epsilon: instead of the config's.
        max_passes: of each search.
        max_minutes: of each search.
        cases: of the evaluation.
        protocol: of the evaluation.
        seed: of the attack.
        reference: folder of the stored task that epsilon refers to.
        saved: which volumes become files.
    """

    system: SystemNames
    attack: Path
    attack_options: tuple[str, ...]
    epsilon: tuple[str, ...] | None
    max_passes: int | None
    max_minutes: float | None
    cases: CarriedCases
    protocol: Protocol
    seed: int
    reference: Path | None
    saved: SavedFiles

    def __call__(self) -> CaseAttacker:
        """The function of the worker's jobs.

        Raises:
            ValueError: something is not there, or is not what the driver opened.
        """
        # First, since the config may import the component that the system is made of.
        settings = AttackSettings.load(
            self.attack,
            self.attack_options,
            self.epsilon,
            has_reference=self.reference is not None,
            max_passes=self.max_passes,
            max_minutes=self.max_minutes,
        )
        opened = self.system.open()
        system, source = opened.system, self.cases.open(opened.system)
        return make_attacker(
            system,
            source,
            settings,
            protocol=self.protocol,
            seed=self.seed,
            reference=None if self.reference is None else reference_width(self.reference),
            on_result=self.saved.writer(system, settings, source),
        )
