"""What a report says, as plain data: systems, threat models, rows with the values of every case, findings, limits.

Everything that is drawn or written (page, figures, tables, evidence) is made from a `Contents`, so that the same number
is the same number everywhere. `records.contents` fills one from record folders; a stranger may fill one by hand.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from rogseg.evaluation.case_record import PerClass
from rogseg.evaluation.statistics import Bounds
from rogseg.findings import Level
from rogseg.metrics import heading_of
from rogseg.report.rows import ConditionKind, Origin, Row
from rogseg.report.volumes import SavedVolume

__all__ = ["TISSUE_ALONE", "ClassText", "Contents", "Finding", "MeasureText", "Strength", "SystemText", "ThreatText"]

TISSUE_ALONE = "tissue alone"
"""How the norm of a threat model ends under which air stays as it is."""


@dataclasses.dataclass(frozen=True)
class ClassText:
    """A foreground class: its name, and whether it is an organ, a lesion or a region of several labels."""

    name: str
    kind: str = "organ"


@dataclasses.dataclass(frozen=True)
class MeasureText:
    """A measure: its key in the records, how it is written, its unit, which way is good, what it cannot leave.

    Verdict and curves speak of the primary one, the first of a report.
    """

    name: str
    label: str
    unit: str = ""
    better: Literal["higher", "lower", "zero"] = "higher"
    bounds: Bounds = (None, None)
    is_primary: bool = False

    @property
    def heading(self) -> str:
        """The label with its unit; see `rogseg.metrics.heading_of`."""
        return heading_of(self.label, self.unit, self.better)

    @property
    def compared(self) -> str:
        """What differences are of: of what is best at zero, how far off it is."""
        return f"the size of {self.label}" if self.better == "zero" else self.label


@dataclasses.dataclass(frozen=True)
class SystemText:
    """What was evaluated: name, kind (a rogseg checkpoint, an nnU-Net folder, ...), digest of all that decides outputs.

    ``details`` are further lines for the page, such as versions and options. ``differentiable`` is False where only
    attacks that query the system can be run.
    """

    name: str
    kind: str
    digest: str
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)
    differentiable: bool = True


@dataclasses.dataclass(frozen=True)
class Strength:
    """One epsilon in its three units, each already worded: fraction of the box, network units, raw units."""

    value: float
    label: str
    fraction: str
    network: str
    raw: str


@dataclasses.dataclass(frozen=True)
class ThreatText:
    """What an adversary may do.

    Args:
        norm: by which conditions name it; one threat model per norm and unit of epsilon.
        words: the sentence for a reader.
        strengths: the epsilons that were tried.
        by_network: the same by network, where one epsilon is another change in raw units for each; else empty.
        differs: why it is, as the beginning of a sentence.
        outside: what an adversary could do and is not in it.
        scale: by which epsilons are multiplied on an axis.
        axis: what the axis then says.
    """

    norm: str
    words: str
    strengths: tuple[Strength, ...]
    outside: tuple[str, ...] = ()
    scale: float = 255.0
    axis: str = "epsilon [1/255 of the intensity range]"
    by_network: Mapping[str, tuple[Strength, ...]] = dataclasses.field(default_factory=dict)
    differs: str = "Epsilon is another change for each network"

    @property
    def is_in_255ths(self) -> bool:
        """Whether epsilon is a share of a width, of which 8/255 is known; not a number of network or raw units."""
        return self.scale == 255

    @property
    def unequal(self) -> str:
        """What to know of an epsilon that is another change in raw units for each network; empty where it is one."""
        if not self.by_network:
            return ""
        return (
            f"{self.differs}: the same epsilon lets the adversary change the image more for one network than for "
            "another, so what they lose at it does not rank them. Attacks with --reference and the folder of one "
            "stored task give all the same change."
        )

    def strength_of(self, system: str, value: float) -> Strength:
        """An epsilon as a network meets it."""
        return next(s for s in self.by_network.get(system, self.strengths) if s.value == value)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a sanity check saw, of which system, and what it may mean."""

    system: str
    name: str
    level: Level
    seen: str
    meaning: str


@dataclasses.dataclass(frozen=True)
class Contents:
    """One report.

    Args:
        title: of the page.
        task: name of the task or data set.
        classes: foreground classes in the order of the values.
        measures: those in the records; the first is the one that the verdict speaks of.
        systems: what was evaluated.
        threats: one per norm.
        rows: systems under conditions.
        origins: of the rows' numbers.
        findings: of the sanity checks.
        volumes: saved cases for the viewer.
        facts: what holds for all rows (grid, protocol, cases, criterion, seeds), heading to sentence.
        criterion: when a case counts as fallen, as the end of the sentence "a case falls when ...".
        limits: what the numbers do not say, a sentence each.
        untested: what was not tested, a sentence each.
        case_sizes: [ml] of every class in the target, by case.
        corruption_notes: which corruptions do not apply, and how parameters were fitted; a sentence each.
        is_synthetic: the data were generated, which every picture must say.
        written: date and time, in words.
    """

    title: str
    task: str
    classes: tuple[ClassText, ...]
    measures: tuple[MeasureText, ...]
    systems: tuple[SystemText, ...]
    threats: tuple[ThreatText, ...]
    rows: tuple[Row, ...]
    origins: tuple[Origin, ...]
    findings: tuple[Finding, ...] = ()
    volumes: tuple[SavedVolume, ...] = ()
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    criterion: str = ""
    limits: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    case_sizes: Mapping[str, PerClass] = dataclasses.field(default_factory=dict)
    corruption_notes: tuple[str, ...] = ()
    is_synthetic: bool = False
    written: str = ""

    def __post_init__(self) -> None:
        if not self.measures:
            raise ValueError(f"report {self.title!r}: it has no measure; records hold at least one")
        systems, origins = {system.name for system in self.systems}, {origin.key for origin in self.origins}
        for row in self.rows:
            if row.system not in systems:
                raise ValueError(
                    f"report {self.title!r}: a row is of {row.system!r}, the systems are {sorted(systems)}"
                )
            if row.origin not in origins:
                raise ValueError(f"report {self.title!r}: a row comes from {row.origin!r}, which is not in its origins")

    @property
    def primary(self) -> MeasureText:
        """The measure that verdict and curves speak of."""
        return dataclasses.replace(self.measures[0], is_primary=True)

    def rows_of(self, system: str, kinds: Iterable[ConditionKind]) -> tuple[Row, ...]:
        """The rows of a system under conditions of some kinds, in their order."""
        wanted = set(kinds)
        return tuple(row for row in self.rows if row.system == system and row.condition.kind in wanted)

    def clean_of(self, row: Row) -> Row | None:
        """The clean row that a row compares with: of the same system, measured alike; of the same records if it can."""
        rows = [clean for clean in self.rows_of(row.system, ("clean",)) if clean.measured == row.measured]
        return min(rows, key=lambda clean: clean.origin != row.origin, default=None)

    def notes(self) -> tuple[str, ...]:
        """What the records say of themselves, each once: of all of them, or of those that stand before the colon."""
        every = len(self.origins)
        are_told_apart = len({Path(origin.folder).name for origin in self.origins}) == every
        folders: dict[str, list[str]] = {}
        for origin in self.origins:
            for note in origin.notes:
                name = Path(origin.folder).name if are_told_apart else origin.folder
                folders.setdefault(note, []).append(name)
        return tuple(note if len(of) == every else f"{', '.join(of)}: {note}" for note, of in folders.items())

    def is_accuracy(self, row: Row) -> bool:
        """Whether a clean row stands alone, as that of a test in the raw grid does."""
        others = (r for r in self.rows if r.condition.kind != "clean" and r.system == row.system)
        return row.condition.kind == "clean" and all(other.measured != row.measured for other in others)
