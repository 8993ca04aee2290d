"""What is somebody's beside what is written, and what was written that no longer is what it was."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from rogseg.engine.evaluation_plan import plan_attacks, read_plan
from rogseg.engine.model.zoo_download import download_zoo_model
from rogseg.engine.study.run_study import run_steps
from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.models.weight_files import refuse_damaged_archive
from rogseg.report.evidence import write_evidence
from rogseg.report.write_report import write_report
from rogseg.shipped_configs import shipped_folder
from tests.faults.fault import Call, Fault
from tests.faults.raw_inputs import flip
from tests.identities import IDENTITY, dice_record

CONFIG = "configs/rog/rog_standard_hippocampus_light.py"
SHIPPED = "rog_standard_hippocampus_light"


def _report(name: str) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        RecordFolder(folder / "records", IDENTITY).add(dice_record("a", CLEAN, (0.9, 0.8)))
        (folder / "out" / name).parent.mkdir(parents=True)
        (folder / "out" / name).write_text("mine")
        return lambda: write_report([folder / "records"], folder / "out")

    return build


def _pack(folder: Path) -> Call:
    (folder / "pack").mkdir()
    (folder / "pack" / "manifest.json").write_text(json.dumps({"sha256": {"report.html": "0"}}))
    (folder / "pack" / "notes.txt").write_text("mine")
    return lambda: write_evidence(None, [], folder / "pack")  # type: ignore[arg-type]


def _download(name: str, before: str = "", **changed: str) -> Callable[[Path], Call]:
    """From a zoo that changes an entry, after another network came from there."""

    def build(folder: Path) -> Call:
        source = folder / "zoo"
        source.mkdir()
        shutil.copy(shipped_folder("model_zoo") / f"{SHIPPED}.safetensors", source / "a.safetensors")
        digest = hashlib.sha256((source / "a.safetensors").read_bytes()).hexdigest()
        entry = {"config": CONFIG, "file": "a.safetensors", "sha256": digest}
        (source / "index.json").write_text(json.dumps({before or "none": entry, name: {**entry, **changed}}))

        def call() -> None:
            with patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")):
                for wanted in filter(None, (before, name)):
                    download_zoo_model(wanted, str(source))

        return call

    return build


def _zoo_page(index: str, page: str = "") -> Callable[[Path], list[str]]:
    def build(folder: Path) -> list[str]:
        (folder / "zoo").mkdir()
        (folder / "zoo" / "index.json").write_text(index)
        if page:
            (folder / "model_zoo.md").write_text(page)
        return ["zoo", "--zoo", str(folder / "zoo")]

    return build


def _study(steps: dict[str, str], **more: Any) -> Callable[[Path], list[str]]:
    def build(folder: Path) -> list[str]:
        content = {"title": "t", "words": {}, "steps": steps, "sections": [], **more}
        (folder / "s.py").write_text("".join(f"{key} = {value!r}\n" for key, value in content.items()))
        return ["study", str(folder / "s.py"), "--data", str(folder), "--out", str(folder / "out"), "--list"]

    return build


def _stamp(text: str) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        (folder / "steps").mkdir()
        (folder / "steps" / "one.json").write_text(text)
        return lambda: run_steps({"one": ["zoo"]}, folder)

    return build


def _checkpoint(folder: Path) -> Call:
    path = folder / "a.pth"
    torch.save({"weights": torch.arange(10_000.0)}, path)
    flip(path)
    return lambda: refuse_damaged_archive(path)


def _no_attack(folder: Path) -> Call:
    (folder / "plan.json").write_text(json.dumps({"plan": {"attacks": [], "seconds_per_pass": 1.0}, "request": {}}))
    return lambda: read_plan(folder / "plan.json")


SECTION = {"title": "a", "text": "", "records": ["x=one"]}

FAULTS = [
    Fault("a report over one's page", _report("report.html"), "out: holds report.html, which no report has"),
    Fault("a report over one's figures", _report("figures/a.png"), "out: holds figures, which no report has"),
    Fault("a report over one's tables", _report("tables/a.csv"), "out: holds tables, which no report has"),
    Fault("notes in a pack of evidence", _pack, "pack: holds notes.txt, which is not of the pack"),
    Fault("two networks in one file", _download("mine", "first"), "a.safetensors: is the file of first, not of mine"),
    Fault("weights called as the index", _download("mine", file="index.json"), "is the file of the index"),
    Fault("weights under an MD5", _download("mine", sha256="0" * 32), "not 64 small hexadecimal digits"),
    Fault("a network called as one of ours", _download(SHIPPED), f"{SHIPPED} comes with rogseg"),
    Fault("a zoo that is a list", _zoo_page("[]"), "index.json must be an object"),
    Fault("a zoo of nothing", _zoo_page('{"a": {}}'), "index.json.'a'.: missing keys .'config', 'file', 'sha256'"),
    Fault("a zoo that leaves", _zoo_page('{"a": {"file": "../x", "config": "", "sha256": ""}}'), "cannot name a"),
    Fault("a page of one's own", _zoo_page("{}", "mine"), "model_zoo.md: is no page of a model zoo"),
    Fault("a step in open quotes", _study({"one": "zoo 'x"}), "steps.one: .*cannot be taken apart: No closing"),
    Fault("a step in an open bracket", _study({"one": "zoo {out"}), "steps.one: .*cannot be taken apart"),
    Fault("a word in a word", _study({"one": "zoo {out:{nope}}"}), "steps.one: .*a word stands in {} alone"),
    Fault("a step out of its folder", _study({"../one": "zoo"}), "cannot name a file or folder"),
    Fault("a step of no command", _study({"one": "zoo", "two": "phantoms x"}), "steps.two: there is no command 'phan"),
    Fault("a step whose --out is last", _study({"one": "zoo --out"}, sections=[SECTION]), "argument --out: expect"),
    Fault("a stamp that is a list", _stamp("[]"), r"one\.json: says nothing of a step"),
    Fault("a stamp without time", _stamp('{"command": ["zoo"]}'), r"one\.json: says nothing of a step"),
    Fault("a checkpoint flipped", _checkpoint, r"a\.pth: damaged: the checksum of .* is not that of its content"),
    Fault("an evaluation of no attack", _no_attack, r"plan\.json: not the plan of an evaluation .it plans no attack"),
    Fault("an evaluation without end", lambda _: lambda: plan_attacks(1.0, 3, float("inf")), "--minutes inf must be"),
]  # fmt: skip
