"""A tiny nnU-Net, hardened: its own predictor loads it, attacks take less, and what it has seen is known."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from rogseg.attacks.foreground import labels_dice
from rogseg.engine.attacking.evaluated_case import evaluated_case
from rogseg.engine.case_finding import cases_to_attack
from rogseg.engine.hardening.harden import Hardening, harden_system, training_folder
from rogseg.engine.hardening.look import LookSettings, look_at
from rogseg.engine.hardening.network_training import NetworkTraining
from rogseg.engine.model.open_system import OpenedSystem, leak_of, open_system
from rogseg.models.hardening_lineage import HARDENING_FILE, HardeningLineage, read_hardening, write_hardening
from rogseg.storage import read_raw_task
from rogseg.systems import NNUNetSystem, RawCases
from rogseg.trainers import FreeTrainer
from tests.unit.engine.hardening.bright_blobs import write_bright_blobs
from tests.unit.systems.any_network.networks import (
    INPUTS,
    OUTPUTS,
    WINDOWS,
    HalvingNetwork,
    LossInTraining,
    TinyNetwork,
    seeded,
)
from tests.unit.systems.nnunet.tiny_folder import REGIONS, tiny_dataset, tiny_plans, write_case, write_folder

pytest.importorskip("nnunetv2")

# Of the eight mirrored copies one is enough here.
QUICK = ["mirroring=False"]


def plan_schedule(out: Path, num_epochs: int, num_iterations: int, name: str = "fold_0") -> None:
    """A training that was begun with this schedule, so that no timing decides what a test does."""
    directory = training_folder(out) / name
    directory.mkdir(parents=True)
    schedule = {"num_epochs": num_epochs, "num_iterations": num_iterations}
    (directory / "schedule.json").write_text(json.dumps(schedule))


def harden(start: Path, data: Path, out: Path, trainer: str, **settings: Any) -> Hardening:
    given = {"learning_rate": 1e-2, "device": "cpu", "cfg_options": QUICK, **settings}
    return harden_system([start], data=data, out=out, trainer=trainer, **given)


@pytest.fixture(scope="module", autouse=True)
def without_curves() -> Iterator[None]:
    """Drawing takes longer than these trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rogseg.engine.training.hooks.history_hook.draw_curves", lambda history: b"")
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bright_blobs(tmp_path_factory.mktemp("data") / "Task77_Blobs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random weights."""
    path = tmp_path_factory.mktemp("net") / "nnUNetTrainer__nnUNetPlans__3d_fullres"
    return write_folder(path, tiny_plans(), tiny_dataset({"background": 0, "organ": 1}), folds=[0, 1])


@pytest.fixture(scope="module")
def clean(folder: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after standard training, done by the same means."""
    out = tmp_path_factory.mktemp("clean") / "clean"
    plan_schedule(out, 1, 100)
    one_fold = [*QUICK, "folds=0"]
    found = harden(folder, data, out, "standard", cfg_options=one_fold)
    assert [values[0] for values in found.after.values()] > [0.85] > [values[0] for values in found.before.values()]
    return out


def test_attacked_dice_rises_and_nnunets_own_predictor_loads_what_is_written(
    clean: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    out = tmp_path / "hardened"
    plan_schedule(out, 1, 60)
    found = harden(clean, data, out, "free", trainer_options=["num_replays=3"])
    ((clean_before, attacked_before),), ((clean_after, attacked_after),) = found.before.values(), found.after.values()
    assert clean_after > clean_before - 0.02
    assert attacked_after > attacked_before + 0.05
    end = f"written to {out}; the 2 validation cases of fold 0 had no part in it: attack those"
    assert "".join(end.split()) in "".join(capsys.readouterr().out.split())

    system = NNUNetSystem(out)
    case = system.prepare(read_raw_task(data).training[0])
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(out), (0,))
    predicted = predictor.predict_logits_from_preprocessed_data(case.inputs[0])
    assert torch.equal(predicted, system.predictor_logits(case)[0])
    assert not torch.equal(predicted, NNUNetSystem(clean).predictor_logits(case)[0])

    # What was fitted, looked at and kept; the first start is a stranger's, the second what was hardened before.
    opened = open_system([out])
    lineage = opened.lineage
    assert isinstance(lineage, HardeningLineage)
    assert lineage.inherited == {"Task77_Blobs": tuple(sorted((*lineage.training, *lineage.selection)))}
    assert lineage.settings["trainer"]["epsilon"] == 8 / 255
    parts = (lineage.training, lineage.selection, lineage.validation)
    assert sorted(sum(parts, ())) == [f"blob_{number:02d}" for number in range(10)]
    kept = cases_to_attack(opened, data=data)
    assert kept.case_ids == lineage.validation
    assert leak_of(opened, kept.case_ids, kept.task, allow_seen=False).startswith("not known of the network")
    for seen in (lineage.training[0], lineage.selection[0]):
        with pytest.raises(ValueError, match=r"trained or selected on 1 of these 1 cases"):
            leak_of(opened, [seen], "Task77_Blobs", allow_seen=False)
    assert not (training_folder(out) / "prepared").exists()


def test_after_minutes_that_were_too_few_more_are_taken(folder: Path, data: Path, tmp_path: Path) -> None:
    for minutes in (1e-6, 2e-6):
        with pytest.raises(ValueError, match="give more minutes"):
            harden(folder, data, tmp_path / "hardened", "standard", minutes=minutes)
    with pytest.raises(ValueError, match=r"holds a hardening with other settings \(trainer\)"):
        harden(folder, data, tmp_path / "hardened", "pgd", minutes=2e-6)
    assert json.loads((tmp_path / "hardened.training" / "settings.json").read_text())["minutes"] == 2e-6


class Killed(BaseException):
    """What no code catches."""


def test_a_killed_hardening_goes_on_to_the_same_weights(
    clean: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outs = tmp_path / "whole", tmp_path / "killed"
    for out in outs:
        plan_schedule(out, 4, 4)
    whole = harden(clean, data, outs[0], "free", trainer_options=["num_replays=2"])

    step, count = FreeTrainer.step, itertools.count()

    def die_in_the_third_epoch(*arguments: Any) -> dict[str, torch.Tensor]:
        if next(count) == 9:
            raise Killed
        return step(*arguments)

    monkeypatch.setattr(FreeTrainer, "step", die_in_the_third_epoch)
    with pytest.raises(Killed):
        harden(clean, data, outs[1], "free", trainer_options=["num_replays=2"])
    monkeypatch.undo()
    assert not outs[1].exists()
    with pytest.raises(ValueError, match=r"holds a hardening with other settings \(trainer\)"):
        harden(clean, data, outs[1], "pgd")
    # What was looked at before is not looked at again, for the weights are others by then.
    before = (training_folder(outs[1]) / "before.json").read_text()
    # What a kill leaves of a file or folder that was being written goes with the next run.
    training = training_folder(outs[1])
    written = training / "prepared" / "blob", training / "fold_0" / "last.pth", outs[1].with_name(".partial-killed")
    leftovers = [path.with_name(f".rogseg-partial-{path.name}-abcdefgh") for path in written]
    for leftover in leftovers:
        leftover.mkdir()
    harden(clean, data, outs[1], "free", trainer_options=["num_replays=2"])
    assert (training_folder(outs[1]) / "before.json").read_text() == before
    assert not any(leftover.exists() for leftover in leftovers)
    assert not (training / "prepared").exists()
    first, second = (NNUNetSystem(out).networks[0].state_dict() for out in outs)
    assert all(torch.equal(first[name], second[name]) for name in first)

    # Whoever is killed after its end, before anybody hears of it, takes it up; with other settings it is not theirs.
    (training_folder(outs[0]) / "prepared").mkdir()
    monkeypatch.setattr(NetworkTraining, "run", die_in_the_third_epoch)
    assert harden(clean, data, outs[0], "free", trainer_options=["num_replays=2"]) == whole
    assert not (training_folder(outs[0]) / "prepared").exists()
    with pytest.raises(ValueError, match=r"whole: exists already, .* other settings \(trainer\)"):
        harden(clean, data, outs[0], "pgd")


def test_every_fold_is_hardened_or_the_one_that_is_named(folder: Path, data: Path, tmp_path: Path) -> None:
    start = [NNUNetSystem(folder, folds=fold).networks[0].state_dict() for fold in (0, 1)]
    for name, options, folds in (("both", QUICK, [0, 1]), ("one", [*QUICK, "folds=1"], [1])):
        for fold in folds:
            plan_schedule(tmp_path / name, 1, 1, f"fold_{fold}")
        harden(folder, data, tmp_path / name, "pgd", cfg_options=options, trainer_options=["craft.num_iterations=1"])
        system = NNUNetSystem(tmp_path / name)
        assert system.identity.options["folds"] == folds
        for fold, network in zip(folds, system.networks, strict=True):
            changed = [key for key, value in network.state_dict().items() if not torch.equal(value, start[fold][key])]
            assert changed
    record = json.loads((tmp_path / "both" / HARDENING_FILE).read_text())["lineage"]
    assert record["is_start_known"] is False
    assert record["settings"]["options"]["folds"] == [0, 1]


def test_what_cannot_be_written_is_told_before_any_work(
    folder: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: NNUNetSystem, out: Path) -> None:
        out.mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(NNUNetSystem, "write_back", full)
    plan_schedule(tmp_path / "out", 1, 1)
    with pytest.raises(OSError, match="No space left"):
        harden(folder, data, tmp_path / "out", "standard")
    left = training_folder(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not (left / "before.json").exists()
    assert not list(left.glob(".rogseg-partial-*"))


@pytest.fixture
def hardened(tmp_path: Path) -> Path:
    """Weights and the record of their hardening, without the hours between."""
    folder = tmp_path / "hardened"
    (folder / "fold_0").mkdir(parents=True)
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"weights")
    lineage = HardeningLineage(
        "Task77_Blobs", ("a", "b"), ("c",), ("d",), 0, {"a": "digest"}, ("start", "abc"), {"Older": ("e",)}, True,
        {"seed": 0}, {}, {"torch": "2"},
    )  # fmt: skip
    write_hardening(folder, lineage)
    assert read_hardening(folder) == lineage
    return folder


def test_an_edited_record_of_a_hardening_is_not_believed(hardened: Path) -> None:
    path = hardened / HARDENING_FILE
    said = json.loads(path.read_text())
    changes: list[tuple[str, Any]] = [
        ("training", []), ("selection", ["z"]), ("is_start_known", False), ("inherited", {}), ("task", "Other"),
    ]  # fmt: skip
    for key, value in changes:
        path.write_text(json.dumps({**said, "lineage": {**said["lineage"], key: value}}))
        with pytest.raises(ValueError, match=r"rogseg_hardening\.json: it is not what was written there"):
            read_hardening(hardened)
    for text in (json.dumps(said["lineage"]), json.dumps({**said, "crc": None}), "[]", "{}", ""):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"rogseg_hardening\.json"):
            read_hardening(hardened)
    path.write_text(json.dumps(said, indent=4))  # laid out otherwise it says the same
    assert read_hardening(hardened) is not None


def test_the_record_of_other_weights_is_not_believed(hardened: Path) -> None:
    weights = hardened / "fold_0" / "checkpoint_final.pth"
    weights.write_bytes(b"others!")
    with pytest.raises(ValueError, match=r"fold_0/checkpoint_final\.pth is not the file that was hardened"):
        read_hardening(hardened)
    weights.unlink()
    with pytest.raises(ValueError, match=r"checkpoint_final\.pth: no such file"):
        read_hardening(hardened)


def test_cases_that_were_seen_are_reported_on_with_a_label_where_that_is_asked_for(
    hardened: Path, folder: Path
) -> None:
    opened = OpenedSystem(NNUNetSystem(folder), None, read_hardening(hardened))
    assert leak_of(opened, ["d"], "Task77_Blobs", allow_seen=False) == "held out"
    with pytest.raises(ValueError, match=r"trained or selected on 2 of these 3 cases \(a, c\).*--allow-seen"):
        leak_of(opened, ["a", "c", "d"], "Task77_Blobs", allow_seen=False)
    label = leak_of(opened, ["a", "c", "d"], "Task77_Blobs", allow_seen=True)
    assert label == "trained or selected on 2 of 3 cases"
    assert leak_of(opened, ["a", "d"], "A copy", allow_seen=False).startswith("not known, 1 of 2 cases are called as")


def test_what_cannot_be_hardened_is_refused_before_any_work(folder: Path, data: Path, tmp_path: Path) -> None:
    partly = write_folder(tmp_path / "partly", tiny_plans(), tiny_dataset({"background": 0, "organ": 1, "ignore": 2}))
    refused: list[tuple[dict[str, Any], str]] = [
        ({"start": partly}, "has an ignore label"),
        ({"out": folder}, "exists already"),
        ({"trainer": "fre"}, "did you mean 'free'"),
        ({"trainer_options": ["craft.num_iterations=3"]}, "has no 'craft'"),
        ({"trainer_options": ["replays=3"]}, "--trainer-options: .*replays"),
        ({"minutes": 0}, "must be above 0"),
        ({"fold": 5}, r"no fold 5; there are folds 0 to 4"),
        ({"minutes": 0.0001}, r"--minutes leaves .* s for training"),
    ]
    for changes, message in refused:
        given = {"start": folder, "data": data, "out": tmp_path / "out", "trainer": "free", **changes}
        with pytest.raises(ValueError, match=message):
            harden(**given)
        assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match=r"is a network of rogseg.*rogseg train"):
        harden_system(["rog_standard_hippocampus_light"], data=data, out=tmp_path / "out", device="cpu")


def test_planes_and_regions_are_hardened_by_another_trainer(data: Path, tmp_path: Path) -> None:
    plans = tiny_plans(dimensions=2)
    start = write_folder(tmp_path / "net", plans, tiny_dataset(REGIONS), axes=(0, 1))
    plan_schedule(tmp_path / "out", 1, 2)
    harden(start, data, tmp_path / "out", "trades", trainer_options=["craft.num_iterations=1"], learning_rate=1e-4)
    before, after = (NNUNetSystem(path).networks[0].state_dict() for path in (start, tmp_path / "out"))
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert any(name.startswith("decoder.seg_layers") for name in changed)


def module_of(network: type[TinyNetwork], windows: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "TorchModule",
        "network": f"{network.__module__}.{network.__name__}",
        "arguments": {"in_channels": 1},
        "inputs": INPUTS,
        "windows": windows,
        "outputs": OUTPUTS,
    }


def test_a_network_of_whole_volumes_is_hardened_on_what_it_is_evaluated_on(data: Path, tmp_path: Path) -> None:
    torch.save(seeded().state_dict(), tmp_path / "tiny.pt")
    config, given = tmp_path / "whole.py", module_of(HalvingNetwork, {"multiple_of": 2})
    config.write_text(f"system = {given | {'weights': str(tmp_path / 'tiny.pt')}!r}\n")
    plan_schedule(tmp_path / "out", 1, 2, "network")
    harden(config, data, tmp_path / "out", "n_fgsm", cfg_options=[])
    written = torch.load(tmp_path / "out" / "tiny.pt", weights_only=True)
    assert all(not torch.equal(value, written[name]) for name, value in seeded().state_dict().items())


def test_whole_volumes_of_different_shapes_are_told_of_before_any_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_bright_blobs(tmp_path / "Task77_Blobs")
    image = next(iter(sorted((data / "imagesTr").iterdir())))
    for path in (image, data / "labelsTr" / image.name.replace("_0000", "")):
        file = nibabel.load(path)
        nibabel.save(nibabel.Nifti1Image(np.asarray(file.dataobj)[:-3], file.affine), path)
    torch.save(seeded().state_dict(), tmp_path / "tiny.pt")
    config, given = tmp_path / "whole.py", module_of(TinyNetwork, {})
    config.write_text(f"system = {given | {'weights': str(tmp_path / 'tiny.pt')}!r}\n")
    with pytest.raises(ValueError, match=r"different shapes, such as .*give --batch-size 1"):
        harden(config, data, tmp_path / "out", "n_fgsm", cfg_options=[])
    assert not (training_folder(tmp_path / "out") / "before.json").exists()
    monkeypatch.setattr(NetworkTraining, "run", lambda *_: None)
    harden(config, data, tmp_path / "out", "n_fgsm", cfg_options=[], batch_size=1)  # what was advised is taken
    assert (tmp_path / "out" / "tiny.pt").is_file()


def test_a_record_is_of_the_file_that_it_names(hardened: Path) -> None:
    assert read_hardening(hardened) is not None
    alone = hardened / "net.ckpt"  # however it ends, it is a file of weights
    alone.write_bytes(b"weights")
    with pytest.raises(ValueError, match=r"is the record of fold_0/checkpoint_final\.pth, not of net\.ckpt beside it"):
        read_hardening(hardened, alone)
    lineage = read_hardening(hardened)
    assert lineage is not None
    write_hardening(hardened, lineage)
    assert read_hardening(hardened, alone) == lineage
    alone.write_bytes(b"others")
    with pytest.raises(ValueError, match=r"net\.ckpt is not the file that was hardened"):
        read_hardening(hardened, alone)


def test_what_gives_no_logits_in_training_is_told_before_the_cases_are_prepared(data: Path, tmp_path: Path) -> None:
    torch.save(seeded().state_dict(), tmp_path / "tiny.pt")
    config, given = tmp_path / "odd.py", module_of(LossInTraining, WINDOWS)
    config.write_text(f"system = {given | {'weights': str(tmp_path / 'tiny.pt')}!r}\n")
    with pytest.raises(ValueError, match=r"tiny: in training mode the network gives a tuple with \{0: .*, 1: \(\)\}"):
        harden(config, data, tmp_path / "out", "n_fgsm", cfg_options=[])
    left = training_folder(tmp_path / "out")
    assert len(list((left / "prepared").iterdir())) == 1
    assert not (left / "before.json").exists()


def test_a_module_of_anybodys_is_written_as_its_file_was_and_opens_with_its_record(data: Path, tmp_path: Path) -> None:
    # In half precision, so that what was trained is rounded as it is written.
    torch.save({name: value.half() for name, value in seeded().state_dict().items()}, tmp_path / "tiny.pt")
    given = module_of(TinyNetwork, WINDOWS)
    config = tmp_path / "mine.py"
    config.write_text(f"system = {given | {'weights': str(tmp_path / 'tiny.pt')}!r}\n")
    plan_schedule(tmp_path / "out", 1, 2, "network")
    found = harden(config, data, tmp_path / "out", "n_fgsm", cfg_options=[])
    config.write_text(f"system = {given | {'weights': str(tmp_path / 'out' / 'tiny.pt')}!r}\n")
    opened = open_system([config])
    cases = RawCases(opened.system, read_raw_task(data).training, "Task77_Blobs")
    settings = LookSettings(8 / 255, 0, torch.device("cpu"))
    assert look_at(opened.system, cases, list(found.after), settings) == found.after
    assert isinstance(opened.lineage, HardeningLineage)
    assert opened.lineage.settings["trainer"]["craft"] == {"type": "NFGSMCraft"}
    written = torch.load(tmp_path / "out" / "tiny.pt", weights_only=True)
    assert all(not torch.equal(value, written[name]) for name, value in seeded().state_dict().items())


def test_a_look_at_regions_takes_the_dice_of_regions(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", tiny_plans(), tiny_dataset(REGIONS), axes=None)
    system = NNUNetSystem(folder)
    cases = RawCases(system, [write_case(tmp_path / "raw", (9, 13, 10), labels=range(4))], "Dataset999_Tiny")
    found = look_at(system, cases, cases.case_ids, LookSettings(16 / 255, 0, torch.device("cpu")))
    case = evaluated_case(cases, cases.case_ids[0], system, "patch")
    assert case.targets is not None
    clean = labels_dice(system.model(case.inputs).argmax(1), case.targets, system.class_indices)
    assert found[case.case_id][0] == pytest.approx(clean.mean().item())
    assert found[case.case_id][1] <= found[case.case_id][0]
