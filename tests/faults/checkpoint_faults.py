"""Checkpoints, zoo files and devices: damaged, of others, or not there."""

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from rogseg.engine.device import choose_device
from rogseg.engine.digests import digest_of_file
from rogseg.engine.model.api import load_model, load_zoo_model
from rogseg.engine.model.model_zoo import zoo_model
from rogseg.engine.model.zoo_entry import add_to_zoo
from rogseg.models.checkpoints import assign_weights, checkpoint_lineage, read_checkpoint, write_checkpoint
from rogseg.models.weight_files import safetensors_bytes
from tests.faults.fault import Call, Fault
from tests.faults.raw_inputs import flip

ROOT = Path(__file__).resolve().parents[2]
ZOO = ROOT / "model_zoo"
LIGHT = "rog_standard_hippocampus_light"
GOOD: dict[str, Any] = {"state_dict": {"weight": torch.ones(200)}, "meta": {"epoch": 1}}

Build = Callable[[Path], Call]


class Evil:
    """What would run when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('owned').touch()",))


def saved(content: object, name: str = "best.pth", change: Callable[[Path], object] = lambda path: None) -> Build:
    def build(folder: Path) -> Call:
        path = folder / name
        torch.save(content, path)
        change(path)
        return lambda: read_checkpoint(path)

    return build


def changed(**more: Any) -> Build:
    return saved({**GOOD, **more})


def zoo_copy(change: Callable[[Path], object], use: Callable[[Path], object]) -> Build:
    """A zoo of one network, damaged."""

    def build(folder: Path) -> Call:
        (folder / "zoo").mkdir()
        (folder / "config.py").write_text("")
        write_checkpoint(folder / "best.pth", GOOD)
        weights = folder / "zoo" / "mine.safetensors"
        weights.write_bytes(safetensors_bytes(read_checkpoint(folder / "best.pth")["state_dict"], {"lineage": None}))
        entry = {"config": "config.py", "file": weights.name, "sha256": digest_of_file(weights)}
        (folder / "zoo" / "index.json").write_text(json.dumps({"mine": entry}))
        change(folder / "zoo")
        return lambda: use(folder / "zoo")

    return build


def indexed(**entry: str) -> Build:
    def change(zoo: Path) -> None:
        index = json.loads((zoo / "index.json").read_text())
        index["mine"] |= entry
        (zoo / "index.json").write_text(json.dumps(index))

    return zoo_copy(change, lambda zoo: zoo_model("mine", zoo))


def used(config: str, *overrides: str) -> Build:
    """The light network of the zoo under another config than its own."""
    return lambda folder: lambda: load_model(config, ZOO / f"{LIGHT}.safetensors", overrides=overrides)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("best/data.pkl", bytes(10**7))


def away_from_its_index(folder: Path) -> Call:
    zoo_copy(lambda zoo: None, lambda zoo: None)(folder)
    path = folder / "elsewhere.safetensors"
    shutil.copy(folder / "zoo" / "mine.safetensors", path)
    flip(path, 0.99)
    return lambda: read_checkpoint(path)


def not_finite(folder: Path) -> Call:
    state: Mapping[str, torch.Tensor] = {"weight": torch.full((1, 1), torch.nan), "bias": torch.zeros(1)}
    return lambda: assign_weights(torch.nn.Linear(1, 1), state, "best.pth")


def lineage(value: object) -> Build:
    def build(folder: Path) -> Call:
        write_checkpoint(folder / "best.pth", {**GOOD, "meta": {"lineage": value}})
        return lambda: checkpoint_lineage(folder / "best.pth")

    return build


FAULTS = [
    Fault("not there", lambda folder: lambda: read_checkpoint(folder / "best.pth"), "there is no such checkpoint"),
    Fault("a folder", lambda folder: lambda: read_checkpoint(folder), "not a plain file"),
    Fault("empty", saved(GOOD, change=lambda path: path.write_bytes(b"")), r"best\.pth: not a checkpoint"),
    Fault("text", saved(GOOD, change=lambda path: path.write_text("weights")), r"best\.pth: not a checkpoint"),
    Fault("cut", saved(GOOD, change=lambda path: path.write_bytes(path.read_bytes()[:900])), "not a checkpoint"),
    Fault("a bit of the weights", saved(GOOD, change=lambda path: flip(path)), "damaged: the checksum of best/data"),
    Fault("a bomb", saved(GOOD, change=bomb), "larger than the file"),
    Fault(
        "code",
        saved({"state_dict": Evil()}),
        r"not a checkpoint of tensors and plain data \(it asks for eval, which is",
    ),
    Fault("an object", saved({"state_dict": {}, "x": Path("x")}), r"it asks for pathlib\.\w+, which is not run"),
    Fault("no weights", changed(state_dict={}), "holds no weights"),
    Fault("weights that are numbers", changed(state_dict={"weight": 1.0}), "holds no weights"),
    Fault("a whole number as name", changed(state_dict={3: torch.ones(1)}), "a weight is called 3"),
    Fault("a tensor without values", changed(state_dict={"a": torch.ones(1, device="meta")}), "without plain values"),
    Fault("a sparse tensor", changed(state_dict={"a": torch.ones(2).to_sparse()}), "without plain values"),
    Fault("a meta that is a list", changed(meta=[1]), "its meta is a list"),
    Fault("weights that are not finite", not_finite, r"best\.pth: weight \(1 in all\) hold values that are not finite"),
    Fault(
        "torn safetensors",
        saved(GOOD, "w.safetensors", lambda p: p.write_bytes(b"torn")),
        r"w\.safetensors: not a check",
    ),
    Fault("a lineage that is a number", lineage(5), "lineage must be an object"),
    Fault("a lineage without cases", lineage({"fold": 0}), "lineage: missing keys"),
    Fault(
        "a bit of a zoo file, by path",
        zoo_copy(
            lambda zoo: flip(zoo / "mine.safetensors", 0.99), lambda zoo: read_checkpoint(zoo / "mine.safetensors")
        ),
        r"mine\.safetensors: damaged: its checksum is not that of .*index\.json",
    ),
    Fault("a bit of a zoo file elsewhere", away_from_its_index, r"elsewhere\.safetensors: damaged: its checksum"),
    Fault("a zoo file out of the zoo", indexed(file="../../../etc/passwd"), "cannot name a file or folder"),
    Fault("a zoo config out of the tree", indexed(config="../../evil.py"), "does not lie below"),
    Fault("a zoo file of another hash", indexed(sha256="0" * 64), "checksum is not that of the index"),
    Fault(
        "a zoo index that is a list",
        zoo_copy(lambda zoo: (zoo / "index.json").write_text("[1]"), lambda zoo: zoo_model("mine", zoo)),
        r"index\.json",
    ),
    Fault(
        "a zoo name out of the zoo", lambda f: lambda: add_to_zoo("../x", __file__, f / "b.pth", ROOT / "zoo"), "'../x'"
    ),
    Fault(
        "a zoo name that is long",
        lambda f: lambda: add_to_zoo("x" * 190, __file__, f / "b.pth", ROOT / "zoo"),
        "longer than 200 bytes",
    ),
    Fault("a zoo name that is unknown", lambda _: lambda: load_zoo_model("rog_standrad"), "the model zoo has no"),
    Fault("a network of another task", used("rog_standard_spleen"), "was trained for name Task04_Hippocampus"),
    Fault("a network of another spacing", used(LIGHT, "task.spacing=[1.0, 1.0, 3.0]"), "was trained for spacing"),
    Fault("a network of other axes", used(LIGHT, "task.orientation=LPS"), "was trained for orientation RAS"),
    Fault("an unknown device", lambda _: lambda: choose_device("tpu"), "device is 'tpu', which is unknown: write cpu"),
    Fault("a device without networks", lambda _: lambda: choose_device("meta"), "networks are not run on"),
    Fault("a device that is empty", lambda _: lambda: choose_device(""), "device is ''"),
    Fault("a GPU that is not here", lambda _: lambda: choose_device("cuda:63"), "device is 'cuda:63', but"),
]
