"""EvaluationIdentity: everything that the numbers of an evaluation depend on."""

import dataclasses
import json
import zlib
from collections.abc import Mapping
from typing import Any, Literal, Self

from rogseg.evaluation.case_record import SCHEMA_VERSION
from rogseg.foreign import decode

__all__ = [
    "HELD_OUT",
    "NOT_KNOWN",
    "CaseSelection",
    "Condition",
    "CriterionSetting",
    "EvaluatedSystem",
    "EvaluationIdentity",
    "ThreatSetting",
]

HELD_OUT, NOT_KNOWN = "held out", "not known"
CHANNEL, MEASURE = {"name", "unit"}, {"name", "unit", "better", "bounds"}


@dataclasses.dataclass(frozen=True)
class EvaluatedSystem:
    """What is evaluated.

    Args:
        kind: of the system, for instance a rogseg checkpoint or an nnU-Net folder.
        name: what reports call it.
        digest: of the weights.
        options: all else that decides its outputs. JSON data.
    """

    kind: str
    name: str
    digest: str
    options: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Condition:
    """What is done to the cases.

    Args:
        kind: an attack, a corruption, a certificate, or the transfer of what an attack made on another system.
        name: what records and tables call it.
        config: its component. JSON data. Of a transfer also ``surrogate``, the `EvaluatedSystem` that the volumes were
            made on.
    """

    kind: Literal["attack", "corruption", "certificate", "transfer"]
    name: str
    config: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class ThreatSetting:
    """The threat model.

    Args:
        type: its class, which names the norm.
        unit: of epsilon: ``fraction`` of the box's width, ``network`` [network units] or ``raw`` [HU for CT].
        options: the rest of its config, {} without any.
    """

    type: str
    unit: str
    options: Mapping[str, Any]

    @property
    def moves_tissue_alone(self) -> bool:
        """Whether voxels at the lower end of the box in every channel stay as they are."""
        return self.options.get("moves") == "tissue"


@dataclasses.dataclass(frozen=True)
class CriterionSetting:
    """When a case counts as fallen.

    Args:
        config: of the criterion. JSON data.
        mu: the mean clean Dice that it asks for; None where it needs none, and until the clean cases are measured.
        mu_source: where mu comes from, for instance ``the evaluated cases`` or ``the whole fold``.
        mu_cases: the cases that mu is the mean over.
    """

    config: Mapping[str, Any]
    mu: float | None
    mu_source: str | None
    mu_cases: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class CaseSelection:
    """Which of all cases are evaluated: the rule in words, and the seed of its draw."""

    rule: str
    seed: int | None


@dataclasses.dataclass(frozen=True)
class EvaluationIdentity:
    """What must agree for records to belong together. No field has a default: what is forgotten is told at once.

    Args:
        system: what is evaluated.
        task: its name.
        classes: names of the foreground classes, in the order of every value per class.
        channels: ``name`` and ``unit`` of the raw intensities of each, such as ``CT`` and ``HU``.
        data: a digest of image and label of each case that the evaluation is over.
        condition: what is done to the cases; None for accuracy without attack or corruption.
        threat: of an attack, else None.
        criterion: of an attack, else None.
        protocol: what of a case is evaluated: ``volume``, ``patch``, or ``raw grid``.
        window_size: of the sliding window [voxels]; None where the system has none, or its own.
        overlap: of neighbouring windows, a fraction.
        measures: `rogseg.metrics.Measure.describe` of each; ``own_code``, a digest of its files, of one that is no part
            of rogseg.
        selection: how the cases were chosen.
        seed: of the attack or corruption.
        fold: that the cases are the validation part of; None where they come from elsewhere.
        leak: ``held out``; ``trained on`` or ``selected on``, where the system was that; ``not known``.
        versions: of ``rogseg`` and of the records' ``schema``; ``own_code``, a digest of the files of components that
            are no part of rogseg, where the attack or the corruptions are such.

    Raises:
        ValueError: two classes have one name; a channel, a measure or the versions lack what every reader asks for; or
            a newer version of rogseg wrote it.
    """

    system: EvaluatedSystem
    task: str
    classes: tuple[str, ...]
    channels: tuple[Mapping[str, Any], ...]
    data: Mapping[str, str]
    condition: Condition | None
    threat: ThreatSetting | None
    criterion: CriterionSetting | None
    protocol: str
    window_size: tuple[int, ...] | None
    overlap: float | None
    measures: tuple[Mapping[str, Any], ...]
    selection: CaseSelection
    seed: int | None
    fold: int | None
    leak: str
    versions: Mapping[str, Any]

    def __post_init__(self) -> None:
        for name, parts, asked in (("channels", self.channels, CHANNEL), ("measures", self.measures, MEASURE)):
            if not all(asked <= set(part) for part in parts):
                raise ValueError(f"the identity's {name} must each have {', '.join(sorted(asked))}")
        if "schema" not in self.versions:
            raise ValueError("the identity's versions must name the schema of the records")
        if self.versions["schema"] not in range(1, SCHEMA_VERSION + 1):
            raise ValueError(
                f"its records have schema version {self.versions['schema']}, this version of rogseg reads 1 to "
                f"{SCHEMA_VERSION}: take the version that wrote them, or a newer one"
            )
        doubled = sorted({name for name in self.classes if self.classes.count(name) > 1})
        if doubled:
            raise ValueError(
                f"two classes are called {doubled[0]!r}, so their results could not be told apart; rename one where "
                "the labels of the task are listed"
            )

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases that the evaluation is over."""
        return tuple(self.data)

    @property
    def raw_unit(self) -> str:
        """Of the raw intensities; ``raw units`` where the channels differ or it is not known."""
        units = {str(channel["unit"]) for channel in self.channels}
        return units.pop() if len(units) == 1 else "raw units"

    @property
    def kind(self) -> str:
        """What is done to the cases, as `Condition.kind` has it; ``test`` where nothing is."""
        return "test" if self.condition is None else self.condition.kind

    @property
    def counts_false_classes(self) -> bool:
        """Whether a class that is found in a case without it has Dice 0; attacks leave it out, and what is compared."""
        return self.kind in ("test", "corruption")

    @property
    def own_code(self) -> str | None:
        """A digest of the files of components that are no part of rogseg; None where there are none."""
        digest: str | None = self.versions.get("own_code")
        return digest

    @property
    def key(self) -> str:
        """Of the system and of what is done to it, which each record bears, so that one of another is told apart."""
        made = json.dumps([self.system.digest, self.condition and dataclasses.asdict(self.condition)], sort_keys=True)
        return f"{zlib.crc32(made.encode()):08x}"

    @property
    def is_legacy(self) -> bool:
        """Whether an older version wrote it, which noted less than the numbers depend on."""
        return self.versions["schema"] != SCHEMA_VERSION

    def to_json(self) -> dict[str, Any]:
        """JSON data.

        Raises:
            ValueError: a field holds something that JSON does not know.
        """
        try:
            content: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), allow_nan=False))
        except TypeError as error:
            raise ValueError(f"an evaluation's identity is JSON data: {error}") from error
        return content

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ValueError: a key is missing or unknown, or its value is of another type.
        """
        return decode(data, cls, "the identity")
