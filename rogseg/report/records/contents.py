"""The contents of a report from record folders."""

import datetime
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import DICE, TARGET_VOLUME, PerClass
from rogseg.evaluation.corruption_table import corruption_notes
from rogseg.evaluation.identity import Condition
from rogseg.evaluation.measure_facts import facts_of_measure
from rogseg.evaluation.notes import notes_on
from rogseg.report.contents import ClassText, Contents, MeasureText, SystemText
from rogseg.report.records.criterion_words import criterion_words
from rogseg.report.records.evaluations import Evaluation, read_evaluations
from rogseg.report.records.facts import mu_words, shared_facts
from rogseg.report.records.limits import limits_of, untested_by
from rogseg.report.records.rows import key_of, record_rows, surrogate_of
from rogseg.report.records.threats import threat_texts
from rogseg.report.rows import Origin

__all__ = ["contents_of"]

KINDS = {
    "rogseg": "a checkpoint of rogseg",
    "nnunet": "a trained nnU-Net folder",
    "monai": "a MONAI bundle",
    "torch": "a PyTorch module with its weights",
    "onnx": "an ONNX file",
}
"""What is evaluated, in words; a kind that is not here is its own word."""
SYNTHETIC = ("synthetic", "phantom", "demo")


def contents_of(
    folders: Sequence[Path] | Mapping[str, Sequence[Path]],
    out: Path,
    *,
    common_cases: bool = False,
    written: datetime.date | None = None,
) -> Contents:
    """Read record folders.

    Args:
        folders: of records; by the name of the network where the records' own names should not be shown.
        out: folder of the page, from which it links to the records.
        common_cases: whether to keep those cases alone that all evaluations have done.
        written: the date of the page; None is today.

    Raises:
        ValueError: a folder holds no records, or two do not belong into one report, or have other measures under one
            name.
    """
    evaluations = read_evaluations(folders, common_cases=common_cases)
    # Older tests counted their classes only; an attack names them.
    identity = next((e.identity for e in evaluations if e.identity.condition is not None), evaluations[0].identity)
    kinds = {kind: of for e in evaluations for kind, of in _kinds(e).items()}
    measures = _measures(evaluations)
    rows = record_rows(evaluations, measures[0].name)
    names = [identity.task, *(case_id for e in evaluations for case_id in e.identity.cases)]
    is_synthetic = any(word in name.lower() for name in names for word in SYNTHETIC)
    return Contents(
        title=_title(identity.task),
        task=identity.task,
        classes=tuple(ClassText(name, kinds.get(name, "organ")) for name in identity.classes),
        measures=measures,
        systems=_systems(evaluations),
        threats=threat_texts(evaluations),
        rows=rows,
        origins=tuple(_origin(evaluations, evaluation, out) for evaluation in evaluations),
        findings=tuple(finding for evaluation in evaluations for finding in evaluation.findings),
        volumes=tuple(volume for evaluation in evaluations for volume in evaluation.volumes),
        facts=shared_facts(evaluations),
        criterion=criterion_words(evaluations),
        limits=limits_of(evaluations),
        untested=untested_by(evaluations),
        case_sizes=_sizes(evaluations),
        corruption_notes=tuple(dict.fromkeys(note for e in evaluations for note in corruption_notes(e.identity))),
        is_synthetic=is_synthetic,
        written=f"{written or datetime.datetime.now(tz=datetime.UTC).date():%-d %B %Y}",
    )


def _title(task: str) -> str:
    """``Task04_Hippocampus`` or ``Dataset004_Hippocampus`` as a heading."""
    return re.sub(r"^(Task|Dataset)\d+_", "", task).replace("_", " ").strip() or task


def _kinds(evaluation: Evaluation) -> dict[str, str]:
    kinds = evaluation.identity.system.options.get("class_kinds", {})
    return dict(kinds) if isinstance(kinds, Mapping) else {}


def _measures(evaluations: Sequence[Evaluation]) -> tuple[MeasureText, ...]:
    """Those of all folders, Dice first."""
    found = dict.fromkeys(str(entry["name"]) for one in evaluations for entry in one.identity.measures)
    folders = [evaluation.folder for evaluation in evaluations]
    described = {name: facts_of_measure(name, folders) for name in found}
    names = sorted(described, key=lambda name: name != DICE)
    return tuple(
        MeasureText(
            name,
            name,
            str(described[name]["unit"]),
            described[name]["better"],
            bounds=(described[name]["bounds"][0], described[name]["bounds"][1]),
        )
        for name in names
    )


def _systems(evaluations: Sequence[Evaluation]) -> tuple[SystemText, ...]:
    systems = {}
    for evaluation in evaluations:
        system = evaluation.identity.system
        # Whole plans and configs stand in the header of the records; here they would fill a page.
        words = {
            key: "none" if value == [] else _plain(value)  # as the mirrored axes of an nnU-Net that was not mirrored
            for key, value in system.options.items()
            if not isinstance(value, Mapping)
        }
        details = {key: text for key, text in words.items() if text and len(text) <= 80 and text != "None"}
        if evaluation.identity.window_size and "window_size" not in details:
            details["window"] = " x ".join(str(length) for length in evaluation.identity.window_size) + " voxels"
        details.pop("differentiable", None)
        differentiable = bool(system.options.get("differentiable", True))
        kind = KINDS.get(system.kind, system.kind)
        systems[evaluation.system] = SystemText(evaluation.system, kind, system.digest, details, differentiable)
    return tuple(systems.values())


def _origin(evaluations: Sequence[Evaluation], evaluation: Evaluation, out: Path) -> Origin:
    folder, identity = evaluation.folder, evaluation.identity
    command, seed = folder.environment.get("command", ""), identity.selection.seed
    facts = {
        "Condition": "none" if identity.condition is None else f"{identity.condition.kind} {identity.condition.name}",
        "Settings": "" if identity.condition is None else _settings(identity.condition),
        "Volumes made on": "" if identity.condition is None else surrogate_of(evaluations, identity.condition),
        "Threat model": "" if identity.threat is None else _plain(identity.threat.type, identity.threat.unit),
        "Criterion": "" if identity.criterion is None else _plain(identity.criterion.config),
        "Mean clean Dice that it asks for": mu_words(evaluation),
        "Measured on": evaluation.setting,
        "Overlap of windows": "" if identity.overlap is None else str(identity.overlap),
        "Choice of cases": identity.selection.rule + ("" if seed is None else f", seed {seed}"),
        "Seed": "" if identity.seed is None else str(identity.seed),
        "Fold": "" if identity.fold is None else str(identity.fold),
        "What the network had seen of the cases": identity.leak,
        "Versions": ", ".join(f"{name} {version}" for name, version in folder.environment.items() if name != "command"),
    }
    return Origin(
        key=key_of(evaluations, evaluation),
        folder=str(folder.directory),
        command=command if isinstance(command, str) else shlex.join(str(part) for part in command),
        digest=evaluation.digest,
        records=len(folder.records),
        href=Path(os.path.relpath(folder.directory / "records.jsonl", out)).as_posix(),
        identity={key: text for key, text in facts.items() if text},
        notes=notes_on(folder),
    )


def _settings(condition: Condition) -> str:
    """Its config; of what volumes were made on, the name alone is for reading."""
    return _plain({key: value for key, value in condition.config.items() if key != "surrogate"})


def _sizes(evaluations: Sequence[Evaluation]) -> dict[str, PerClass]:
    sizes: dict[str, PerClass] = {}
    for evaluation in evaluations:
        for case_id, record in evaluation.folder.clean().items():
            if TARGET_VOLUME in record.measures:
                sizes[case_id] = record.measures[TARGET_VOLUME]
    return sizes


def _plain(*values: Any) -> str:
    """JSON data as a reader writes it: no braces, no quotes."""
    words = []
    for value in values:
        if isinstance(value, Mapping):
            words.append(", ".join(f"{key} {_plain(part)}" for key, part in value.items()))
        elif isinstance(value, (list, tuple)):
            words.append(", ".join(_plain(part) for part in value))
        else:
            words.append(str(value))
    return ", ".join(words)
