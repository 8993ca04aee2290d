"""A system as the identity of an evaluation names it."""

from collections.abc import Mapping
from typing import Any

import rogseg
from rogseg.evaluation.case_record import SCHEMA_VERSION
from rogseg.evaluation.identity import EvaluatedSystem
from rogseg.systems import System

__all__ = ["evaluated_channels", "evaluated_system", "record_versions"]


def evaluated_system(system: System) -> EvaluatedSystem:
    """What is evaluated; versions stand in the environment beside the identity."""
    identity = system.identity
    return EvaluatedSystem(identity.kind, identity.name, identity.digest, dict(identity.options))


def evaluated_channels(system: System) -> tuple[Mapping[str, Any], ...]:
    """Name and raw unit of each channel."""
    return tuple({"name": channel.name, "unit": channel.unit} for channel in system.channels)


def record_versions() -> dict[str, Any]:
    """What ``versions`` of an identity that is made now holds."""
    return {"rogseg": rogseg.__version__, "schema": SCHEMA_VERSION}
