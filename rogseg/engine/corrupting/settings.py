"""Which corruptions are made, at which parameters, and which do not apply to the images of a system."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Self

from rogseg.command_line import nearest
from rogseg.corruptions import NUM_SEVERITIES, Corruption, Modality, checked_severity
from rogseg.registry import CORRUPTIONS

__all__ = ["ChosenCorruption", "CorruptionSettings"]

ALL_SEVERITIES = tuple(range(1, NUM_SEVERITIES + 1))


@dataclasses.dataclass(frozen=True)
class ChosenCorruption:
    """A corruption and its parameter at each severity, those of its table or calibrated ones."""

    name: str
    corruption: Corruption
    parameters: Mapping[int, float]

    def to_json(self) -> dict[str, Any]:
        """What the records depend on."""
        severities = self.corruption.severities
        at = {str(severity): value for severity, value in sorted(self.parameters.items())}
        return {"parameter": severities.parameter, "unit": severities.unit, "severities": at}


@dataclasses.dataclass(frozen=True)
class CorruptionSettings:
    """What is done to every case.

    Args:
        modalities: of the channels of the images.
        chosen: the corruptions that apply.
        severities: that are evaluated.
        not_applicable: by name why a corruption does not apply to these images.
        calibration: what similarity the parameters were fitted to, and on which cases; empty where the
            table's are taken.
    """

    modalities: tuple[Modality, ...]
    chosen: tuple[ChosenCorruption, ...]
    severities: tuple[int, ...]
    not_applicable: Mapping[str, str]
    calibration: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def choose(
        cls,
        modalities: Sequence[Modality],
        names: Sequence[str] | None = None,
        severities: Sequence[int] = ALL_SEVERITIES,
    ) -> Self:
        """Corruptions by name, at severities of their table.

        Args:
            modalities: of the system's channels.
            names: of the CORRUPTIONS registry; None is all of it.
            severities: of 1 to 5.

        Raises:
            ValueError: a name or a severity is unknown, or nothing applies; the message says why.
        """
        CORRUPTIONS.import_from_location()
        known = sorted(CORRUPTIONS.module_dict)
        for name in names or ():
            if name not in known:
                raise ValueError(f"--corruption: there is no {name!r}: {nearest(name, known)}")
        chosen, against = [], {}
        for name in sorted(set(names)) if names else known:
            corruption: Corruption = CORRUPTIONS.build({"type": name})
            reason = corruption.reason_against(modalities)
            if reason is None:
                levels = dict(zip(ALL_SEVERITIES, corruption.severities.levels, strict=True))
                chosen.append(ChosenCorruption(name, corruption, levels))
            else:
                against[name] = reason
        if not chosen:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in against.items())
            raise ValueError(
                f"--corruption: none applies to images of {', '.join(modalities)} ({reasons}); --modality says "
                "what they are"
            )
        return cls(
            tuple(modalities), tuple(chosen), tuple(sorted({checked_severity(one) for one in severities})), against
        )

    @property
    def pairs(self) -> tuple[tuple[ChosenCorruption, int], ...]:
        """Every corruption at every severity that it has a parameter for, in the order in which they are made."""
        return tuple(
            (one, severity) for one in self.chosen for severity in self.severities if severity in one.parameters
        )

    def to_json(self) -> dict[str, Any]:
        """What the records depend on: the parameters, not which severities were asked for, so that more can follow."""
        return {
            "modalities": list(self.modalities),
            "corruptions": {one.name: one.to_json() for one in self.chosen},
            "not applicable": dict(self.not_applicable),
            "calibration": dict(self.calibration),
        }
