"""What a training depends on, recorded in its checkpoints and held against the one that wants to go on."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from rogseg.engine.config.task import plan_of
from rogseg.engine.digests import digest_of_file, digest_of_json
from rogseg.engine.training.processes import place
from rogseg.engine.training.training_data import split_of
from rogseg.engine.training.work_dir import resumable, work_dir_of
from rogseg.models.checkpoints import LAST, checkpoint_lineage, read_checkpoint, recorded_lineage
from rogseg.models.lineage import Lineage
from rogseg.storage import StoredTask

__all__ = ["ALLOWED", "Provenance", "check_allowed", "provenance_of", "refuse_other_training"]

START = "start"
MINUTES = "minutes"
UNRECORDED = "unrecorded"
ALLOWED = (
    "batch_size", "data", "inference", "max_epochs", "num_processes", "plateau", "sampling", "trainer", "validation",
    START, UNRECORDED,
)  # fmt: skip
"""What ``allow`` may name: what changes how the training goes on, but not which cases it may be judged on. Not the
optimiser and its schedulers, whose settings come back with their state, so that other ones would have no effect."""


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What goes into the ``meta`` of a checkpoint.

    Args:
        lineage: what the weights are made of.
        settings: everything that a resumed training must have the same, by name; JSON data.
    """

    lineage: Lineage
    settings: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {"lineage": self.lineage.to_json(), "settings": dict(self.settings)}


def provenance_of(
    config: Config,
    task: StoredTask,
    num_processes: int,
    start: Path | None = None,
    resumed: Path | None = None,
    minutes: float | None = None,
) -> Provenance:
    """What a training depends on.

    Args:
        config: from `load_config`.
        task: the stored task.
        num_processes: of the training.
        start: weights that it starts from; None is from scratch.
        resumed: checkpoint that it goes on from; what that one started from stays recorded.
        minutes: that its schedule was made for; None where the config has the schedule.

    Raises:
        ValueError: the weights that it starts from were fitted to cases that this fold reports on.
    """
    fold = task.folds(config.fold)
    training, selection = split_of(config, task)
    settings = _settings(config, task, training, selection, num_processes)
    if minutes is not None:
        settings[MINUTES] = minutes
    lineage = Lineage(
        plan=plan_of(config).to_json(),
        training=training,
        selection=selection,
        validation=fold.validation,
        fold=config.fold,
        seed=config.seed,
        config=digest_of_json(settings),
        data=settings["data"],
    )
    if resumed is not None:
        recorded = read_checkpoint(resumed)
        before, earlier = recorded_lineage(recorded, resumed), recorded["meta"].get("settings")
        if isinstance(earlier, dict) and START in earlier:
            settings[START] = earlier[START]
        if before is not None:
            lineage = dataclasses.replace(
                lineage, inherited=before.inherited, start=before.start, is_start_known=before.is_start_known
            )
    elif start is not None:
        before, settings[START] = checkpoint_lineage(start), digest_of_file(start)
        lineage = dataclasses.replace(
            lineage,
            inherited={} if before is None else before.seen,
            start=str(start),
            is_start_known=before is not None and before.is_start_known,
        )
        leaked = () if before is None else before.seen_of(fold.validation, lineage.task)
        if leaked and START not in config.get("allow", ()):
            raise ValueError(
                f"{start}: was trained or chosen on {len(leaked)} cases that fold {config.fold} reports on "
                f"({', '.join(leaked[:3])}): start from a checkpoint of that fold, or pass --allow {START} and "
                "report on other cases"
            )
    return Provenance(lineage, settings)


def check_allowed(names: Sequence[str]) -> None:
    """Check the names that ``allow`` gives.

    Raises:
        ValueError: one of them cannot be allowed.
    """
    for name in names:
        if name not in ALLOWED:
            raise ValueError(f"allow: {name!r} cannot be allowed; it may name {', '.join(ALLOWED)}")


def _refuse_other_settings(path: Path, settings: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Compare the settings of a checkpoint with those of the training that wants to go on from it.

    Args:
        path: of the checkpoint.
        settings: of the training.
        allowed: names of settings that may differ.

    Raises:
        ValueError: other settings differ; the message names each with both values.
    """
    recorded = read_checkpoint(path)["meta"].get("settings")
    if not isinstance(recorded, dict):
        if UNRECORDED in allowed:
            return
        raise ValueError(
            f"{path}: does not record the settings of its training, so nothing says whether this one goes on with the "
            f"same: pass --allow {UNRECORDED} if you know it, or start from it with load_from in another --work-dir"
        )
    recorded = json.loads(json.dumps(recorded))
    known = {MINUTES: None, **recorded}  # older checkpoints lack what was recorded later, but no minutes
    differing = {name: value for name, value in settings.items() if name in known and known[name] != value}
    refused = [name for name in differing if name not in allowed]
    if refused:
        lines = "; ".join(line for name in refused for line in _differences(name, known[name], settings[name]))
        harmless = [name for name in refused if name in ALLOWED]
        hint = f", or pass --allow {' '.join(harmless)}" if harmless == refused else ""
        raise ValueError(
            f"{path}: its training differs from this one in {', '.join(refused)} ({lines}): go on with the same "
            f"settings{hint}, or start from it with load_from in another --work-dir"
        )


def refuse_other_training(
    config: Config, task: StoredTask, minutes: float | None = None, start: Path | None = None
) -> Provenance:
    """What the training of a config that goes on with, or is, the one in its work directory depends on.

    Args:
        config: of the training that goes on.
        task: the stored task.
        minutes: that its schedule was made for.
        start: weights that its config names, where they are there: those that it began from.

    Raises:
        ValueError: the one that lies there had other settings.
    """
    last = work_dir_of(config) / LAST
    resumable(last)
    provenance = provenance_of(config, task, place()[1], resumed=last, minutes=minutes)
    asked = provenance.settings if start is None else {**provenance.settings, START: digest_of_file(start)}
    _refuse_other_settings(last, asked, config.get("allow", ()))
    return provenance


def _settings(
    config: Config, task: StoredTask, training: Sequence[str], selection: Sequence[str], num_processes: int
) -> dict[str, Any]:
    hooks = [*config.default_hooks.values(), *config.custom_hooks]
    properties = {case_id: task.case(case_id).properties for case_id in sorted((*training, *selection))}
    digests = {case_id: entry.raw_digest or entry.source_digest for case_id, entry in properties.items()}
    settings: dict[str, Any] = json.loads(
        json.dumps(
            {
                "plan": plan_of(config).to_json(),
                "training_cases": list(training),
                "selection_cases": list(selection),
                "data": digest_of_json(digests),
                "fold": config.fold,
                "seed": config.seed,
                "selection_fraction": config.selection_fraction,
                "model": config.model,
                "trainer": config.trainer,
                "batch_size": config.train_data["batch_size"],
                "sampling": config.train_data["dataset"],
                "iterations_per_epoch": config.train_cfg.get("iterations_per_epoch"),
                "max_epochs": config.train_cfg["max_epochs"],
                "optimizer": config.optim_wrapper,
                "param_scheduler": config.param_scheduler,
                "plateau": config.plateau,
                "averaging": [hook for hook in hooks if hook is not None and hook["type"] == "EMAHook"],
                "validation": config.validation,
                "inference": config.inference,
                "num_processes": num_processes,
            },
            default=lambda value: f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) else str(value),
        )
    )
    return settings


def _differences(where: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                yield from _differences(f"{where}.{key}", before.get(key), now.get(key))
    elif isinstance(before, list) and isinstance(now, list) and all(isinstance(entry, str) for entry in before + now):
        for what, cases in (("without", set(before) - set(now)), ("with", set(now) - set(before))):
            if cases:
                yield f"{where} now {what} {', '.join(sorted(cases)[:3])}{', ...' if len(cases) > 3 else ''}"
    else:
        yield f"{where} was {_short(before)} and is {_short(now)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
