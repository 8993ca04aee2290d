"""Raw task folders, stored tasks, plans and splits: damaged, of somebody else, or not what they are called."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rogseg.preprocessing import preprocess_task
from rogseg.storage import StoredTask, folder_lock, read_raw_task
from tests.faults.fault import Call, Fault
from tests.faults.raw_inputs import edited, flip, image, labels, task, voxels
from tests.tiny_task import write_tiny_task

Arguments = Sequence[str]


def _silent(_: object) -> None:
    """Say nothing."""


def _index(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        path = task(folder / "Mine") / "dataset.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        return lambda: read_raw_task(folder / "Mine")

    return build


def _index_text(text: str) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        (folder / "dataset.json").write_text(text)
        return lambda: read_raw_task(folder)

    return build


def _pipe_index(folder: Path) -> Call:
    os.mkfifo(folder / "dataset.json")
    return lambda: read_raw_task(folder)


def _pipe_label(raw: Path) -> None:
    (raw / "labelsTr" / "case_1.nii.gz").unlink()
    os.mkfifo(raw / "labelsTr" / "case_1.nii.gz")


def _note_and_flip(raw: Path, out: Path) -> None:
    (out / "cases" / "case_1" / "mine.txt").write_text("mine")
    flip(out / "cases" / "case_1" / "image.b2nd")


def _wish(*options: str) -> Callable[[Path], Arguments]:
    return lambda folder: _preprocess(folder, task(folder / "Mine").name, *options)


def _preprocess(folder: Path, name: str = "Mine", *more: str) -> Arguments:
    return ["preprocess", str(folder / name), "--out", str(folder / "out"), *more]


def _raw(break_it: Callable[[Path], object], **changes: Any) -> Callable[[Path], Arguments]:
    def build(folder: Path) -> Arguments:
        break_it(task(folder / "Mine", **changes))
        return _preprocess(folder)

    return build


def _out(fill: Callable[[Path], object]) -> Callable[[Path], Arguments]:
    def build(folder: Path) -> Arguments:
        task(folder / "Mine", 2, 0)
        fill(folder / "out")
        return _preprocess(folder)

    return build


def _file(name: str, text: str = "mine") -> Callable[[Path], object]:
    def fill(out: Path) -> None:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)

    return fill


def _called(name: str, **changes: Any) -> Callable[[Path], Arguments]:
    def build(folder: Path) -> Arguments:
        task(folder / name, 2, 0, **changes)
        return _preprocess(folder, name)

    return build


def _second(name: str) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        preprocess_task(task(folder / "first" / "Mine", 2, 0), folder / "out", say=_silent)
        second = task(folder / "second" / name, 2, 0)
        return lambda: preprocess_task(second, folder / "out", say=_silent)

    return build


def _again(change: Callable[[Path, Path], object]) -> Callable[[Path], Arguments]:
    def build(folder: Path) -> Arguments:
        raw = task(folder / "Mine", 2, 0)
        preprocess_task(raw, folder / "out", say=_silent)
        change(raw, folder / "out")
        return _preprocess(folder)

    return build


def _locked(folder: Path) -> Call:
    raw = task(folder / "Mine", 2, 0)

    def call() -> None:
        with folder_lock(folder / "out", "somebody else's preprocessing"):
            preprocess_task(raw, folder / "out", say=_silent)

    return call


def _stored(break_it: Callable[[Path], object], use: Callable[[StoredTask], object]) -> Callable[[Path], Call]:
    def build(folder: Path) -> Call:
        write_tiny_task(folder)
        break_it(folder)
        return lambda: use(StoredTask(folder))

    return build


def _text(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def _more_labels(count: int) -> dict[str, str]:
    return {"0": "background"} | {str(value): f"class {value}" for value in range(1, count)}


def _outlier(raw: Path) -> None:
    array = voxels() + 40 * labels()
    array[0, 0, 0] = 1e6
    image(raw / "imagesTr" / "case_1.nii.gz", array)


def _unoriented(path: Path) -> Path:
    def change(header: Any) -> None:
        header["sform_code"] = header["qform_code"] = 0

    return edited(path, change)


def _moved(header: Any) -> None:
    moved = np.eye(4)
    moved[:3, 3] = 30
    header.set_sform(np.eye(4), 1)
    header.set_qform(moved, 1)


def _own_plan(raw: Path, out: Path) -> None:
    content = json.loads((out / "plan.json").read_text())
    content["task"]["surface_tolerance"] = 7.5
    (out / "plan.json").write_text(json.dumps(content))
    (raw / "dataset.json").write_text((raw / "dataset.json").read_text().replace("MRI", "T1"))


CASE = "cases/case_03"

FAULTS = [
    # dataset.json
    Fault("no index", lambda folder: lambda: read_raw_task(folder), "dataset.json: no such file"),
    Fault("index of half a file", _index_text('{"labels": '), "dataset.json: not usable JSON"),
    Fault("index of null", _index_text("null"), "must hold a JSON object"),
    Fault("index nested without end", _index_text("[" * 200_000), "nested too deeply"),
    Fault("a key twice", _index_text('{"labels": {"a": 1, "a": 2}}'), "the key 'a' stands twice"),
    Fault("index that is a pipe", _pipe_index, "not a plain file"),
    Fault("label --1", _index(lambda c: c["labels"].update({"--1": "x"})), "give each label one whole number"),
    Fault("label of another script", _index(lambda c: c["labels"].update({"²": "x"})), "one whole number"),
    Fault("label of 5000 digits", _index(lambda c: c["labels"].update({"9" * 5000: "x"})), "one whole number"),
    Fault("label true", _index(lambda c: c.update(labels={"background": 0, "a": True})), "one whole number"),
    Fault("region of labels", _index(lambda c: c.update(labels={"background": 0, "a": [1, 2]})), "regions of sever"),
    Fault("label to ignore", _index(lambda c: c["labels"].update({"3": "ignore"})), "with an ignore label"),
    Fault("two classes of one name", _index(lambda c: c["labels"].update({"3": "organ"})), "two values have the name"),
    Fault("one name but for a blank", _index(lambda c: c["labels"].update({"3": " organ"})), "two values have"),
    Fault("a class without name", _index(lambda c: c["labels"].update({"3": " "})), "has no name"),
    Fault("256 classes", _index(lambda c: c.update(labels=_more_labels(256))), "at most 255 with the background"),
    Fault("case called .", _index(lambda c: c["test"].append("./imagesTs/..nii.gz")), "cannot name a file"),
    Fault("case called ..", _index(lambda c: c["test"].append("./imagesTs/...nii.gz")), "cannot name a file"),
    Fault("case without name", _index(lambda c: c["test"].append("./imagesTs/.nii.gz")), "cannot name a file"),
    Fault("case with a line break", _index(lambda c: c["test"].append("./imagesTs/a\nb.nii.gz")), "cannot be printed"),
    Fault("case with NUL", _index(lambda c: c["test"].append("./imagesTs/a\0b.nii.gz")), "no file can have the name"),
    Fault("case outside", _index(lambda c: c["test"].append("../../x.nii.gz")), "points out of the task folder"),
    Fault("case at the root", _index(lambda c: c["test"].append("/etc/x.nii.gz")), "points out of the task folder"),
    Fault("case that is no text", _index(lambda c: c["test"].append(3)), "a case needs"),
    Fault("case of another format", _index(lambda c: c["test"].append("./imagesTs/a.png")), "not an image by its name"),
    Fault("case twice", _index(lambda c: c["test"].append("./imagesTr/case_0.nii.gz")), "listed more than once"),
    Fault("hidden task", lambda f: lambda: read_raw_task(task(f / ".Mine", 2, 0)), "begins with a dot"),
    Fault("wrong number of cases", _raw(_silent, numTraining=7), "is 7, but training lists 4", refused=False),
    # Cases
    Fault("one bad case of five", _raw(lambda r: flip(r / "imagesTr" / "case_2.nii.gz")), "1 bad case; .*\n  case_2: "),
    Fault(
        "a pipe among the cases",
        _raw(_pipe_label),
        "1 bad case; .*\n  case_1: .*not a plain file",
    ),
    Fault(
        "a case of 32767 voxels each way",
        _raw(lambda raw: edited(raw / "imagesTr" / "case_1.nii.gz", lambda h: h.__setitem__("dim", [3] + [32767] * 7))),
        "1 bad case; .*\n  case_1: .*more than any scanner makes",
    ),
    Fault(
        "a case that does not say where its axes point",
        _raw(lambda raw: [_unoriented(raw / folder / "case_1.nii.gz") for folder in ("imagesTr", "labelsTr")]),
        "1 bad case; .*\n  case_1: .*says nothing of where the axes point",
    ),
    Fault(
        "a case of ten metres",
        _raw(lambda raw: [image(raw / d / "case_1.nii.gz", a, np.diag([1e4, 1e4, 1e4, 1.0])) for d, a in
                          (("imagesTr", voxels()), ("labelsTr", labels()))]),
        "1 bad case; .*\n  case_1: .*spacing or the unit of length",
    ),
    Fault("a label value of 4e9", _raw(lambda raw: image(raw / "labelsTr" / "case_1.nii.gz",
          labels().astype(np.uint32) * 2_000_000_000)), r"case_1: .*holds the values \[2000000000, 4000000000\]"),
    Fault("a brain with one bright voxel", _raw(_outlier), "note: case_1: channel 0 .MRI.: .*look alike", False),
    Fault(
        "forms that place the patient twice",
        _raw(lambda raw: edited(raw / "imagesTr" / "case_1.nii.gz", _moved)),
        "note: case_1: .*disagree on where the patient lies",
        refused=False,
    ),
    Fault("a class that occurs nowhere", _raw(_silent, labels={"0": "background", "1": "organ", "2": "tumour",
          "3": "cyst"}), "the classes .'cyst'. occur in none"),
    Fault("no labelled case", _raw(_silent, training=[]), "has 0 labelled cases"),
    Fault("kinds of other classes", _raw(_silent, class_kinds={"tumor": "lesion"}), r"class_kinds names \['tumor'\]"),
    # Called as another task
    Fault("CT called hippocampus", _called("Task04_Hippocampus", modality={"0": "CT"}, labels={"0": "background",
          "1": "Anterior", "2": "Posterior"}), "is for MRI, the data are CT"),
    Fault("another organ called hippocampus", _called("Task04_Hippocampus"), "is called as a task of the MSD"),
    # Somebody's folder
    Fault("out holds notes", _out(_file("notes.txt")), "did not write, such as notes.txt"),
    Fault("out holds notes on a case", _out(_file("cases/patient_A/notes.txt")), "such as cases/patient_A/notes.txt"),
    Fault("out holds a table", _out(_file("measurements/mine.csv")), "such as measurements/mine.csv"),
    Fault("out holds somebody's plan", _out(_file("plan.json", "{}")), "plan.json: not a task plan"),
    Fault("out is a file", _out(lambda out: out.write_text("mine")), "out"),
    Fault("out is the raw task", lambda f: ["preprocess", str(task(f / "M", 2, 0)), "--out", f"{f}/M"], "data"),
    Fault("out holds another task", _second("Other"), "holds the task 'Mine' of .*first.Mine, not of .*Other"),
    Fault("out holds a task of that name", _second("Mine"), "holds the task 'Mine' of .*first.Mine, not of"),
    Fault("out is in use", _locked, "in use by process .*somebody else's preprocessing"),
    Fault("damaged mark", _again(lambda raw, out: (out / "stored_task.json").write_text("[]")), "json: damaged"),
    Fault("a plan of one's own", _again(_own_plan), "plan: the one that .* was made with before", refused=False),
    Fault("a damaged split", _again(lambda raw, out: (out / "splits.json").write_text("{}")), "splits.json: damaged"),
    Fault("a case on both sides", _again(lambda raw, out: (out / "splits.json").write_text(json.dumps(
          {"folds": [{"train": ["case_0"], "validation": ["case_0"]}]}))), "in training and in validation"),
    Fault("a user's file in a case", _again(_note_and_flip), "1 bad case; .*\n  case_1: .*holds mine.txt, which"),
    # Wishes
    Fault("a patch that strides do not divide", _wish("--patch-size", "10", "16", "16"), "not divided by the network"),
    Fault("a patch of nothing", _wish("--patch-size", "0", "16", "16"), "patch_size must be three positive"),
    Fault("a spacing of nothing", _wish("--spacing", "0", "1", "nan"), "spacing must be three positive"),
    # Stored tasks
    Fault("stored image flipped", _stored(lambda f: flip(f / CASE / "image.b2nd"),
          lambda t: t.case("case_03").read_image()), "image.b2nd: damaged"),
    Fault("stored image lost", _stored(lambda f: (f / CASE / "image.b2nd").unlink(),
          lambda t: t.case("case_03").read_image()), "image.b2nd: no such file; run rogseg"),
    Fault("stored label lost", _stored(lambda f: (f / CASE / "label.b2nd").unlink(),
          lambda t: t.case("case_03").read_label()), "label.b2nd: no such file; run rogseg"),
    Fault("stored image of another case", _stored(lambda f: (f / CASE / "image.b2nd").write_bytes(
          (f / "cases/case_04/image.b2nd").read_bytes()), lambda t: t.case("case_03").read_image()), "b2nd: damaged"),
    Fault("stored case of null", _stored(_text(f"{CASE}/case.json", "null"), lambda t: t.case("case_03").properties),
          "case.json: damaged"),
    Fault("stored case of lists", _stored(_text(f"{CASE}/case.json", "[[]]"), lambda t: t.case("case_03").properties),
          "case.json: damaged"),
    Fault("stored number flipped", _stored(lambda f: flip(f / CASE / "case.json", 0.6),
          lambda t: t.case("case_03").properties), "case.json: (damaged|not usable JSON)"),
    Fault("stored case out of the folder", _stored(_silent, lambda t: t.case("../../x")), "cannot name a file"),
    Fault("split of null", _stored(_text("splits.json", "null"), lambda t: t.folds(0)), "splits.json: damaged"),
    Fault("split of numbers", _stored(_text("splits.json", '{"folds": [[1, 2]]}'), lambda t: t.folds(0)), "damaged"),
    Fault("plan of null", _stored(_text("plan.json", '{"task": null}'), lambda t: t.plan), "json: not a task plan"),
    Fault("plan of a list", _stored(_text("plan.json", "[]"), lambda t: t.plan), "plan.json: not a task plan"),
    Fault("plan that leaves", _stored(lambda f: (f / "plan.json").write_text((f / "plan.json").read_text().replace(
          "Task99_Tiny", "../../x")), lambda t: t.plan), "cannot name a file"),
    Fault("fingerprint of a list", _stored(_text("fingerprint.json", "[]"), lambda t: t.fingerprint), "hold an object"),
]  # fmt: skip
