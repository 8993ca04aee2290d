"""What a report calls the networks of its records: two that answer otherwise have two names."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rogseg.evaluation.identity import EvaluationIdentity
from rogseg.evaluation.identity_differences import abridged, leaves
from rogseg.evaluation.legacy_identity import NOT_RECORDED
from rogseg.report.trainings import MARK, recipe_and_training

__all__ = ["network_names"]

WINDOWS = ("window_size", "overlap")


def network_names(given: Sequence[tuple[str, EvaluationIdentity]]) -> list[str]:
    """A name per folder.

    Two networks of one name are told apart by their digests; those of one digest, as with and without mirroring, by
    the options that differ. Of ``RECIPE#TRAINING`` that is told of the recipe: trainings that are used in one way are
    of one recipe.

    Args:
        given: per folder the name that the user gave it, empty where it has its own, and its identity.

    Raises:
        ValueError: one network is called two trainings of a recipe.
    """
    shown = [name or _own_name(identity) for name, identity in given]
    digests = [identity.system.digest for _, identity in given]
    settings = _settings([identity for _, identity in given])
    trainings = [recipe_and_training(name) for name in shown]
    _check_trainings(trainings, digests)
    # By name, or by recipe for all of its trainings, and by digest the settings.
    used: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for (basis, _), digest, setting in zip(trainings, digests, settings, strict=True):
        used.setdefault(basis, {}).setdefault(digest, []).append(setting)
    names = []
    for (basis, training), digest, setting in zip(trainings, digests, settings, strict=True):
        of_digests = used[basis].values() if training else [used[basis][digest]]
        several = len({d for parts, d in zip(trainings, digests, strict=True) if parts == (basis, training)}) > 1
        paths = dict.fromkeys(path for of_digest in of_digests for path in _telling(of_digest))
        details = ", ".join(f"{path.removeprefix('options.')} {_worded(setting, path)}" for path in paths)
        full = basis + (f" {digest[:8]}" if several else "") + (f" ({details})" if details else "")
        names.append(f"{full}{MARK}{training}" if training else full)
    return names


def _check_trainings(trainings: Sequence[tuple[str, str]], digests: Sequence[str]) -> None:
    found: dict[tuple[str, str], str] = {}
    for (recipe, training), digest in zip(trainings, digests, strict=True):
        if not training or digest == NOT_RECORDED:
            continue
        other = found.setdefault((recipe, digest), training)
        if other != training:
            raise ValueError(
                f"{recipe}{MARK}{other} and {recipe}{MARK}{training} have the same weights ({digest[:8]}), so they are "
                "one training; give the second the records of its own, or both one name"
            )


def _own_name(identity: EvaluationIdentity) -> str:
    return identity.system.kind if identity.system.name == NOT_RECORDED else identity.system.name


def _settings(identities: Sequence[EvaluationIdentity]) -> list[dict[str, Any]]:
    """All that decides what weights answer, flat, by path; of older versions nothing, which noted it here and there.

    Windows count where the records of these weights name several: without any, the system has its own.
    """
    settings = []
    for identity in identities:
        setting: dict[str, Any] = {}
        if not identity.is_legacy:
            options = identity.system.options
            setting = leaves({"kind": identity.system.kind, **{f"options.{k}": v for k, v in options.items()}})
            for path in WINDOWS:
                of_weights = [getattr(i, path) for i in identities if i.system.digest == identity.system.digest]
                if len({value for value in of_weights if value is not None}) > 1:
                    setting[path] = getattr(identity, path)
        settings.append(setting)
    return settings


def _telling(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first paths that tell all settings apart that differ."""
    known = [setting for setting in settings if setting]
    chosen: list[str] = []
    for path in dict.fromkeys(path for setting in known for path in setting):
        if _count(known, [*chosen, path]) > _count(known, chosen):
            chosen.append(path)
    return chosen


def _count(settings: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> int:
    """How many of the settings these paths tell apart."""
    return len({tuple(_worded(setting, path) for path in paths) for setting in settings})


def _worded(setting: Mapping[str, Any], path: str) -> str:
    if path not in setting:
        return "not set"
    value = setting[path]
    if isinstance(value, (list, tuple)):
        text = " ".join(str(part) for part in value) or "none"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return abridged(text)
