"""Folders that would run code through nnU-Net's own loader: refused, and nothing of them runs."""

import ast
import json
import os
import pickle
import pydoc
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.systems import NNUNetSystem
from rogseg.systems.nnunet.allowed_names import OTHER_NETWORK_TRAINERS, TRAINERS
from tests.unit.systems.nnunet.tiny_folder import tiny_dataset, tiny_plans, write_folder

nnunetv2 = pytest.importorskip("nnunetv2")


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


def change_plans(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the configuration of a folder's plans."""
    plans = json.loads((folder / "plans.json").read_text())
    change(plans["configurations"]["3d_fullres"])
    (folder / "plans.json").write_text(json.dumps(plans))


def test_a_nonlinearity_that_is_a_shell_command_does_not_run(tmp_path: Path) -> None:
    folder, canary = write_folder(tmp_path / "net"), tmp_path / "canary"

    def change(configuration: dict[str, Any]) -> None:
        configuration["architecture"]["arch_kwargs"]["nonlin"] = "os.system"
        configuration["architecture"]["arch_kwargs"]["nonlin_kwargs"] = {"command": f"touch {canary}"}

    change_plans(folder, change)
    with pytest.raises(ValueError, match=r"plans\.json: .*'nonlin' is 'os\.system', expected one of torch\.nn"):
        NNUNetSystem(folder)
    assert not canary.exists()


def test_a_network_class_that_loads_a_hub_does_not_run(tmp_path: Path) -> None:
    folder, canary = write_folder(tmp_path / "net"), tmp_path / "canary"
    (tmp_path / "hubconf.py").write_text(f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n")

    def change(configuration: dict[str, Any]) -> None:
        configuration["architecture"] = {
            "network_class_name": "torch.hub.load",
            "arch_kwargs": {"repo_or_dir": str(tmp_path), "model": "net", "source": "local"},
            "_kw_requires_import": [],
        }

    change_plans(folder, change)
    with pytest.raises(ValueError, match=r"plans\.json.*architecture: 'network_class_name' is 'torch\.hub\.load'"):
        NNUNetSystem(folder)
    assert not canary.exists()


def test_a_module_in_the_current_folder_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, canary = write_folder(tmp_path / "net"), tmp_path / "canary"
    (tmp_path / "planted.py").write_text(f"import pathlib\npathlib.Path({str(canary)!r}).touch()\nclass Net: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    for key in ("network_class_name", "conv_op", "norm_op", "dropout_op"):

        def change(configuration: dict[str, Any], key: str = key) -> None:
            architecture = configuration["architecture"]
            (architecture if key in architecture else architecture["arch_kwargs"])[key] = "planted.Net"

        write_folder(folder)
        change_plans(folder, change)
        with pytest.raises(ValueError, match=f"{key!r} is 'planted.Net'"):
            NNUNetSystem(folder)
    assert not canary.exists()
    # What nnU-Net would have done with the same string.
    assert pydoc.locate("planted.Net") is not None
    assert canary.exists()
    sys.modules.pop("planted")


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        ("plans", "image_reader_writer", "os"),
        ("plans", "label_manager", "torch.nn.modules.module.torch.os.system"),
        ("configuration", "preprocessor_name", "eval"),
        ("configuration", "normalization_schemes", ["SomeNormalization"]),
        ("configuration", "resampling_fn_data", "resample_and_save"),
        ("configuration", "patch_size", [100000, 2, 2]),
        ("configuration", "patch_size", [4000, 4000, 4000]),
        ("configuration", "resampling_fn_seg_kwargs", {"is_seg": True, "device": "os.system"}),
        ("architecture", "custom", 1),
        ("architecture", "_kw_requires_import", ["n_stages"]),
        ("arguments", "deep_supervision", True),
        ("arguments", "n_stages", 10**9),
        ("arguments", "features_per_stage", [4, "6"]),
        ("arguments", "norm_op_kwargs", {"eps": 1e-5, "affine": True, "device": "meta"}),
        ("arguments", "kernel_sizes", [[3, 3, 3], [3, 3]]),
        ("dataset", "file_ending", ".pkl"),
    ],
)
def test_whatever_is_not_on_a_list_is_refused_by_file_and_key(place: str, key: str, value: Any, tmp_path: Path) -> None:
    plans, dataset = tiny_plans(), tiny_dataset()
    folder = write_folder(tmp_path / "net", plans, dataset)
    configuration = plans["configurations"]["3d_fullres"]
    architecture = configuration["architecture"]
    places = {
        "plans": plans,
        "configuration": configuration,
        "architecture": architecture,
        "arguments": architecture["arch_kwargs"],
        "dataset": dataset,
    }
    places[place][key] = value
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    with pytest.raises(ValueError, match=rf"{'dataset' if place == 'dataset' else 'plans'}\.json.*{key}"):
        NNUNetSystem(folder)


def test_a_parent_cannot_smuggle_in_what_its_child_may_not_hold(tmp_path: Path) -> None:
    plans = tiny_plans()
    folder = write_folder(tmp_path / "net", plans)
    whole = plans["configurations"]["3d_fullres"]
    whole["architecture"]["arch_kwargs"]["nonlin"] = "os.system"
    plans["configurations"] = {"hidden": whole, "3d_fullres": {"inherits_from": "hidden", "batch_size": 4}}
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ValueError, match=r"'nonlin' is 'os\.system'"):
        NNUNetSystem(folder)


def test_a_checkpoint_with_code_does_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for changes in ({"logging": Payload(canary)}, {"network_weights": Payload(canary)}):
        folder = write_folder(tmp_path / "net", changes=changes)
        with pytest.raises(ValueError, match=r"checkpoint_final\.pth: holds more than weights and numbers"):
            NNUNetSystem(folder)
    assert not canary.exists()


def test_weights_that_claim_more_memory_than_they_fill_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", changes={"network_weights": {"huge": torch.zeros(1).expand(10**12)}})
    with pytest.raises(ValueError, match=r"the weights \['huge'\] are no plain real numbers"):
        NNUNetSystem(folder)


def test_a_checkpoint_that_unpacks_to_more_than_the_file_is_refused_unread(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", changes={"network_weights": {"huge": torch.zeros(10**6)}})
    file = folder / "fold_0" / "checkpoint_final.pth"
    with zipfile.ZipFile(file) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in records.items():
            archive.writestr(name, content)
    with pytest.raises(ValueError, match=r"checkpoint_final\.pth: .*its records are larger than the file"):
        NNUNetSystem(folder)


def test_pickles_beside_the_network_stay_closed_and_no_folder_is_made(tmp_path: Path) -> None:
    canary, made = tmp_path / "canary", tmp_path / "made"
    folder = write_folder(tmp_path / "net", {**tiny_plans(), "dataset_name": str(made)})
    for name in ("postprocessing.pkl", "plans.pkl", "fold_0/case.pkl", "dataset_fingerprint.pkl"):
        (folder / name).write_bytes(pickle.dumps(Payload(canary)))
    before = sorted(tmp_path.rglob("*"))
    NNUNetSystem(folder)
    assert sorted(tmp_path.rglob("*")) == before
    assert not canary.exists()


def test_nothing_is_looked_up_by_a_name_from_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr("nnunetv2.utilities.find_objects.recursive_find_trainer_class_by_name", refuse)
    monkeypatch.setattr(pydoc, "locate", refuse)
    NNUNetSystem(write_folder(tmp_path / "net"))
    for name in ("nnUNetTrainerBN", "nnUNet_Primus_S_Trainer"):
        with pytest.raises(ValueError, match=f"{name}, which builds another network than plans.json says"):
            NNUNetSystem(write_folder(tmp_path / "net", changes={"trainer_name": name}))
    for stranger in ("MyTrainer", "os", None, ["nnUNetTrainer"]):
        with pytest.raises(ValueError, match="no trainer of nnU-Net that is known"):
            NNUNetSystem(write_folder(tmp_path / "net", changes={"trainer_name": stranger}))


def test_the_listed_trainers_are_those_that_leave_the_network_alone() -> None:
    """Read from nnU-Net's source, without importing it."""
    bases: dict[str, list[str]] = {}
    overriding = set()
    for path in (Path(nnunetv2.__path__[0]) / "training" / "nnUNetTrainer").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
                if any(getattr(item, "name", "") == "build_network_architecture" for item in node.body):
                    overriding.add(node.name)

    def builds_its_own(name: str) -> bool:
        own = name != "nnUNetTrainer" and name in overriding
        return own or any(builds_its_own(base) for base in bases.get(name, []))

    trainers = {name for name in bases if name.startswith("nnUNet")}
    assert {name for name in trainers if not builds_its_own(name)} == TRAINERS
    assert {name for name in trainers if builds_its_own(name)} == OTHER_NETWORK_TRAINERS
