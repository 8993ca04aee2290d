"""The identity of an evaluation of a system: what is evaluated, as records name it."""

from collections.abc import Mapping, Sequence
from typing import Any

import rogseg
from rogseg.engine.digests import own_code
from rogseg.evaluation.case_record import SCHEMA_VERSION
from rogseg.evaluation.identity import (
    CaseSelection,
    Condition,
    CriterionSetting,
    EvaluatedSystem,
    EvaluationIdentity,
    ThreatSetting,
)
from rogseg.metrics import Measure
from rogseg.systems import System

__all__ = ["described_measures", "evaluated_system", "evaluation_identity", "record_versions"]


def evaluation_identity(
    system: System,
    task: str,
    data: Mapping[str, str],
    *,
    condition: Condition | None,
    threat: ThreatSetting | None = None,
    criterion: CriterionSetting | None = None,
    protocol: str,
    measures: Sequence[Measure],
    selection: CaseSelection,
    seed: int | None,
    fold: int | None,
    leak: str,
) -> EvaluationIdentity:
    """Everything that the numbers depend on; the arguments are the fields of `EvaluationIdentity`."""
    return EvaluationIdentity(
        system=evaluated_system(system),
        task=task,
        classes=system.class_names,
        channels=tuple({"name": channel.name, "unit": channel.unit} for channel in system.channels),
        data=data,
        condition=condition,
        threat=threat,
        criterion=criterion,
        protocol=protocol,
        window_size=system.window_size,
        overlap=None,
        measures=described_measures(measures),
        selection=selection,
        seed=seed,
        fold=fold,
        leak=leak,
        versions=record_versions(
            condition and condition.config,
            threat and threat.type,
            criterion and criterion.config,
        ),
    )


def evaluated_system(system: System) -> EvaluatedSystem:
    """What is evaluated; versions stand in the environment beside the identity."""
    identity = system.identity
    return EvaluatedSystem(identity.kind, identity.name, identity.digest, dict(identity.options))


def described_measures(measures: Sequence[Measure]) -> tuple[dict[str, Any], ...]:
    """What an identity says of its measures; of one of the user's own it names the code, since that has no version."""
    return tuple({**measure.describe(), **own_code(type(measure).__name__)} for measure in measures)


def record_versions(*used: Any) -> dict[str, Any]:
    """What ``versions`` of an identity that is made now holds, of components that the configs name, too."""
    return {"rogseg": rogseg.__version__, "schema": SCHEMA_VERSION, **own_code(*used)}
