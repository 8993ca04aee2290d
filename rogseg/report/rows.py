"""Rows of a report: one system under one condition, the values of every case, and where they come from."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Literal, Self

from rogseg.certification import CertifiedCase
from rogseg.evaluation.case_record import PerClass, class_mean

__all__ = ["CaseValues", "Condition", "ConditionKind", "Origin", "Row"]

ConditionKind = Literal["clean", "attack", "worst case", "transfer", "corruption", "certificate"]


@dataclasses.dataclass(frozen=True)
class Condition:
    """Under what the cases were measured.

    Args:
        kind: clean, attack, worst case over the attacks, transfer, corruption or certificate.
        name: of the attack, the corruption or the certificate.
        strength: epsilon as a fraction, severity, or radius; 0 for clean.
        label: the strength as it is written, such as 8/255.
        norm: of the threat model; empty where there is none.
        budget: what the attack may spend, in words.
        surrogate: for a transfer, the system that the adversarial volumes were made on.
        recipe: all settings, for comparing alone; empty where the name says all.
        criterion: when a case counts as fallen, for comparing alone.
    """

    kind: ConditionKind
    name: str
    strength: float = 0.0
    label: str = ""
    norm: str = ""
    budget: str = ""
    surrogate: str = ""
    recipe: str = ""
    criterion: str = ""

    @property
    def title(self) -> str:
        """The name, and what the volumes were made on where that is not said elsewhere."""
        return f"{self.name} from {self.surrogate}" if self.surrogate else self.name

    @property
    def full_title(self) -> str:
        """The title, and of clean values what they are for, where a report has several."""
        return f"{self.title}, {self.budget}" if self.kind == "clean" and self.budget else self.title


@dataclasses.dataclass(frozen=True)
class CaseValues:
    """One case under one condition.

    Args:
        case_id: its name.
        values: per measure one value per foreground class.
        fell: whether the attack succeeded by the criterion; None where nothing could succeed, or criteria differ.
        line: of the record in its file, counted from 1; None where the value is derived from several records.
        visibility: how visible the change is, by the name of the measure, such as SSIM.
        lows: of a worst case, the lowest primary value of each class, which may come from several attacks.
        certificate: of a certificate, all that it says; the values are its lower bounds.
    """

    case_id: str
    values: Mapping[str, PerClass]
    fell: bool | None = None
    line: int | None = None
    visibility: Mapping[str, float] = dataclasses.field(default_factory=dict)
    lows: PerClass = ()
    certificate: CertifiedCase | None = None

    def mean(self, measure: str) -> float | None:
        """The measure averaged over the classes that have it."""
        return class_mean(self.values.get(measure, ()))


@dataclasses.dataclass(frozen=True)
class Row:
    """One system under one condition: the values of all its cases.

    Args:
        system: its name.
        condition: what was done to the cases.
        cases: their values.
        origin: key of the `Origin` of these numbers.
        setting: what they were measured on, in words.
        basis: a digest of what clean values depend on beside the network: the cases and the rule of Dice.
    """

    system: str
    condition: Condition
    cases: tuple[CaseValues, ...]
    origin: str
    setting: str = ""
    basis: str = ""

    @property
    def measured(self) -> tuple[str, str]:
        """What must agree for numbers to compare, those of a condition with the clean ones, too."""
        return self.setting, self.basis

    def of_cases(self, case_ids: Collection[str]) -> Self:
        """The same of those of its cases alone."""
        return dataclasses.replace(self, cases=tuple(case for case in self.cases if case.case_id in case_ids))


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where numbers come from: a record folder, and the command that makes it again.

    Args:
        key: by which rows name it; also the anchor in the page.
        folder: of the records, as the user named it.
        href: from the page to ``records.jsonl``; empty where the page should not link to it.
        command: the command line; empty where the records do not say.
        digest: SHA-256 of ``records.jsonl``.
        records: number of lines.
        identity: what the numbers depend on, worded for reading.
        notes: what a reader must know of them, such as cases that are missing; a sentence each.
    """

    key: str
    folder: str
    command: str
    digest: str
    records: int
    href: str = ""
    identity: Mapping[str, str] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()
