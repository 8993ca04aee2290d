"""Folders of records from elsewhere: damaged, edited, or made to stop whoever reports on them."""

import dataclasses
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rogseg.evaluation.case_record import CLEAN
from rogseg.evaluation.record_folder import RecordFolder
from rogseg.findings import load_findings
from rogseg.report.records.evaluations import read_evaluations
from tests.faults.fault import Call, Fault
from tests.identities import IDENTITY, dice_record

Change = Callable[[dict[str, Any]], object]


def _written(folder: Path) -> Path:
    records = RecordFolder(folder / "out", IDENTITY, {"python": "3.11"})
    records.add(dice_record("a", CLEAN, (0.9, 0.8)))
    records.add(dice_record("a", "apgd_ce", (0.2, 0.6)))
    return folder / "out"


def _header(change: Change, *, sealed: bool = True) -> Callable[[Path], Call]:
    """A header that somebody wrote, or with the checksum of what was there before."""

    def build(folder: Path) -> Call:
        path = _written(folder) / "header.json"
        content = json.loads(path.read_text())
        change(content)
        if sealed:
            del content["crc"]
        path.write_text(json.dumps(content))
        return lambda: RecordFolder(path.parent)

    return build


def _identity(**changes: Any) -> Callable[[Path], Call]:
    return _header(lambda content: content["identity"].update(changes))


def _record(change: Change) -> Callable[[Path], Call]:
    """Records of somebody, whose checksums are right."""

    def build(folder: Path) -> Call:
        path = _written(folder) / "records.jsonl"
        lines = []
        for line in path.read_text().splitlines():
            content = json.loads(line)
            del content["crc"]
            change(content)
            bare = json.dumps(content)
            lines.append(f'{bare[:-1]}, "crc": "{zlib.crc32(bare.encode()):08x}"}}\n')
        path.write_text("".join(lines))
        return lambda: RecordFolder(path.parent)

    return build


def _pipe(name: str, use: Callable[[Path], object] = RecordFolder) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        directory = _written(folder)
        (directory / name).unlink(missing_ok=True)
        os.mkfifo(directory / name)
        return lambda: use(directory)

    return build


def _nested(folder: Path) -> Call:
    directory = _written(folder)
    (directory / "header.json").write_text("[" * 200_000)
    return lambda: RecordFolder(directory)


def _findings(text: str) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        path = _written(folder) / "sanity.json"
        path.write_text(text)
        return lambda: (load_findings(path), read_evaluations([path.parent]))

    return build


FAULTS = [
    Fault("a mark that says held out, edited", _header(lambda c: c["identity"].update(leak="x"), sealed=False),
          r"header\.json: it is not what was written there, its checksum differs"),
    Fault("a machine, edited", _header(lambda c: c["environment"].update(python="4"), sealed=False), "checksum"),
    Fault("header nested without end", _nested, r"header\.json: .*nested too deeply"),
    Fault("header that is a pipe", _pipe("header.json"), r"header\.json: not a plain file"),
    Fault("records that are a pipe", _pipe("records.jsonl"), r"records\.jsonl: not a plain file"),
    Fault("findings that are a pipe", _pipe("sanity.json", lambda d: load_findings(d / "sanity.json")), "plain file"),
    Fault("classes that are a number", _identity(classes=5), r"header\.json: the identity\.classes must be a list"),
    Fault("cases that are a number", _identity(data=5), r"the identity\.data must be an object"),
    Fault("a task that is a number", _identity(task=5), r"the identity\.task must be a text"),
    Fault("no versions", _identity(versions=None), r"the identity\.versions must be an object"),
    Fault("versions of nothing", _identity(versions={}), "versions must name the schema"),
    Fault("channels in a text", _identity(channels="abc"), r"the identity\.channels must be a list"),
    Fault("a channel without unit", _identity(channels=[{"name": "CT"}]), "channels must each have name, unit"),
    Fault("measures of numbers", _identity(measures=[5]), r"the identity\.measures\[0\] must be an object"),
    Fault("a measure of nothing", _identity(measures=[{}]), "measures must each have better, bounds, name, unit"),
    Fault("options of a system as a number", _identity(system={**dataclasses.asdict(IDENTITY.system), "options": 5}),
          r"the identity\.system\.options must be an object"),
    Fault("a condition of no kind", _identity(condition={"kind": "x", "name": "a", "config": {}}),
          r"the identity\.condition\.kind must be 'attack'"),
    Fault("a Dice in words", _record(lambda c: c["measures"].update(Dice=["x", "y"])), r"line 1: .*Dice.*must"),
    Fault("a Dice that is no number", _record(lambda c: c["measures"].update(Dice=[float("nan"), 0.1])), "NaN is no"),
    Fault("a Dice beyond all numbers", _record(lambda c: c["measures"].update(Dice=[10**400, 0])), "must be a finite"),
    Fault("a case that is a number", _record(lambda c: c.update(case_id=5)), r"a record\.case_id must be a text"),
    Fault("an epsilon in a list", _record(lambda c: c.update(strength=[1])), r"a record\.strength must be a finite"),
    Fault("a condition without name", _record(lambda c: c.update(condition={})), r"a record\.condition must be a text"),
    Fault("a certificate in words", _record(lambda c: c.update(certificate={"sigma": "x"})), "certificate: missing"),
    Fault("records of another case", _record(lambda c: c.update(case_id="z")), "'z' is of another case or of other"),
    Fault("records of other classes", _record(lambda c: c["clean"].update(Dice=[0.5])), "of another case or"),
    Fault("findings that are a number", _findings("5"), r"sanity\.json: not the findings of sanity checks"),
    Fault("a finding that is a number", _findings("[5]"), r"sanity\.json: not the findings of sanity checks"),
    Fault("a finding of no level", _findings('[{"name": "a", "level": [], "seen": "", "meaning": ""}]'), "a find"),
]  # fmt: skip
