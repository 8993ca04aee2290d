"""What an evaluation attacks with: an attack, its threat model, its criterion and its epsilons."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from rogseg.engine.attacking.threats import DEFAULT_THREAT, REFERENCE
from rogseg.engine.config.load import load_attack_config
from rogseg.engine.config.overrides import ATTACK_OPTIONS, parse_overrides
from rogseg.evaluation.epsilon_label import epsilon_label, norm_of_threat

__all__ = ["DEFAULT_MEASURES", "AttackSettings", "parse_epsilon"]

DEFAULT_MEASURES: tuple[Mapping[str, Any], ...] = ({"type": "Dice"}, {"type": "VolumeError"}, {"type": "FalseVolume"})


@dataclasses.dataclass(frozen=True)
class AttackSettings:
    """The keys of an attack config.

    Args:
        name: what records and tables call the attack.
        attack: component of the ATTACKS registry.
        epsilons: radii, in the unit of the threat.
        threat: type and unit; keys that are left out are those of `DEFAULT_THREAT`.
        criterion: component of the CRITERIA registry; None is a mean Dice under half of the mean clean Dice.
        measures: components of the METRICS registry that are taken of every prediction.
        max_passes: forward and backward passes, both counted, of the search in a case at an epsilon; None for no limit.
        max_minutes: of the same; None for no limit.
    """

    name: str
    attack: Mapping[str, Any]
    epsilons: tuple[float, ...] = (8 / 255,)
    threat: Mapping[str, Any] = dataclasses.field(default_factory=lambda: DEFAULT_THREAT)
    criterion: Mapping[str, Any] | None = None
    measures: tuple[Mapping[str, Any], ...] = DEFAULT_MEASURES
    max_passes: int | None = None
    max_minutes: float | None = None

    def __post_init__(self) -> None:
        written = [f"{epsilon:.5f}" for epsilon in self.epsilons]
        if len(set(written)) < len(written):
            raise ValueError(
                f"epsilons are {', '.join(map(str, self.epsilons))}, of which two do not differ in five digits, as "
                "names of files have them; leave one out"
            )
        if self.max_passes is not None and self.max_passes < 1:
            raise ValueError(f"--max-passes is {self.max_passes}, it must be at least 1")
        if self.max_minutes is not None and not 0 < self.max_minutes < float("inf"):
            raise ValueError(f"--max-minutes is {self.max_minutes:g}, it must be above 0")

    @property
    def recorded(self) -> dict[str, Any]:
        """The attack's config and what else decides its results, for the records' identity.

        At several epsilons a case's result at one counts at the next larger where that finds less, so it depends on
        which epsilons there are.
        """
        limits = {"max_passes": self.max_passes, "max_minutes": self.max_minutes}
        sweep = {"sweep": sorted(self.epsilons)} if len(self.epsilons) > 1 else {}
        return {**self.attack, **sweep, **{key: value for key, value in limits.items() if value is not None}}

    def label_of(self, epsilon: float) -> str:
        """Epsilon as reports write it."""
        return epsilon_label(epsilon, self.threat["unit"], norm_of_threat(self.threat["type"]))

    @classmethod
    def load(
        cls,
        config: str | Path,
        options: Sequence[str] = (),
        epsilons: Sequence[str] | None = None,
        *,
        has_reference: bool = False,
        max_passes: int | None = None,
        max_minutes: float | None = None,
    ) -> Self:
        """Read an attack config.

        Args:
            config: path of the config.
            options: ``key=value`` for keys of it.
            epsilons: instead of the config's, such as ``8/255``.
            has_reference: whether a reference box is named: epsilon is a fraction of it then.
            max_passes: of the search in a case at an epsilon.
            max_minutes: of the same.

        Raises:
            ValueError: the config cannot be read or has no attack.
        """
        overrides = {
            **({"threat.unit": REFERENCE} if has_reference else {}),
            **parse_overrides(options, ATTACK_OPTIONS),
        }
        if epsilons:
            if "epsilons" in overrides:
                raise ValueError("--epsilon and --attack-options epsilons=... say the same; leave one of them out")
            overrides["epsilons"] = [parse_epsilon(text) for text in epsilons]
        loaded = load_attack_config(config, overrides)
        return cls(
            name=Path(config).stem,
            attack=loaded.attack.to_dict(),
            epsilons=tuple(loaded.get("epsilons", [8 / 255])),
            threat={**DEFAULT_THREAT, **loaded.get("threat", {})},
            criterion=loaded.criterion.to_dict() if loaded.get("criterion") else None,
            measures=tuple(dict(entry) for entry in loaded.get("measures") or DEFAULT_MEASURES),
            max_passes=max_passes,
            max_minutes=max_minutes,
        )


def parse_epsilon(text: str) -> float:
    """Read ``8/255`` or ``0.03``.

    Raises:
        ValueError: it is no number, or not above 0.
    """
    numerator, _, denominator = text.partition("/")
    try:
        value = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"--epsilon {text!r} is no number; write 8/255 or 0.03") from error
    if not 0 < value < float("inf"):
        raise ValueError(f"--epsilon {text!r} must be above 0")
    return value
