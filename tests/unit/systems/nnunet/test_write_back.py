"""A hardened network in nnU-Net's own format, loaded by nnU-Net's own predictor."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rogseg.systems import NNUNetSystem
from rogseg.systems.nnunet import write_back
from rogseg.systems.nnunet.checkpoint import Fold, read_fold
from tests.unit.systems.nnunet.tiny_folder import write_case, write_folder

pytest.importorskip("nnunetv2")


def test_the_predictor_of_nnunet_predicts_with_the_new_weights(tmp_path: Path) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    folder = write_folder(tmp_path / "net", folds=[0, 1])
    system = NNUNetSystem(folder)
    case = system.prepare(write_case(tmp_path / "raw"))
    before = system.predictor_logits(case)
    for network in system.networks:
        for weight in network.parameters():
            weight.mul_(0.9)
    after = system.predictor_logits(case)
    assert not torch.equal(before, after)

    states: dict[Fold, Mapping[str, Tensor]] = {
        fold: network.state_dict() for fold, network in zip((0, 1), system.networks, strict=True)
    }
    hardened = write_back(system.folder, states, tmp_path / "results" / "hardened", "checkpoint_final.pth")
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(hardened), (0, 1))
    assert torch.equal(predictor.predict_logits_from_preprocessed_data(case.inputs[0]), after[0])
    assert torch.equal(NNUNetSystem(hardened).predictor_logits(case), after)
    assert torch.equal(NNUNetSystem(folder).predictor_logits(case), before)

    content = read_fold(hardened / "fold_0" / "checkpoint_final.pth")
    assert content["current_epoch"] == 5
    assert content["_best_ema"] == np.float64(0.75)
    # An alias of a weight is no second copy in the file.
    weights = content["network_weights"]
    assert len({value.untyped_storage().data_ptr() for value in weights.values()}) < len(weights)
    assert sorted(path.name for path in hardened.iterdir()) == ["dataset.json", "fold_0", "fold_1", "plans.json"]


def test_wrong_weights_and_places_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    system = NNUNetSystem(write_folder(tmp_path / "net"))
    state = system.networks[0].state_dict()
    first = next(iter(state))
    refused: list[tuple[dict[Fold, Mapping[str, Tensor]], str]] = [
        ({1: state}, r"weights are given for folds \[1\], it has \[0\]"),
        ({}, r"folds \[\]"),
        ({0: {**state, first: state[first][:1]}}, "not those of its network"),
        ({0: {"other": state[first]}}, "not those of its network"),
    ]
    for weights, message in refused:
        with pytest.raises(ValueError, match=message):
            write_back(system.folder, weights, tmp_path / "out", "checkpoint_final.pth")
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError, match="exists already"):
        write_back(system.folder, {0: state}, tmp_path / "out", "checkpoint_final.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "out"]


def test_weights_that_a_checkpoint_rounds_are_those_of_the_system_afterwards(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net")
    file = folder / "fold_0" / "checkpoint_final.pth"
    content = read_fold(file)
    content["network_weights"] = {name: value.half() for name, value in content["network_weights"].items()}
    torch.save(content, file)
    system = NNUNetSystem(folder)
    for weight in system.networks[0].parameters():
        weight.mul_(1.0001)
    trained = {name: value.clone() for name, value in system.networks[0].state_dict().items()}
    system.write_back(tmp_path / "out")
    written, now = NNUNetSystem(tmp_path / "out").networks[0].state_dict(), system.networks[0].state_dict()
    assert all(torch.equal(value, now[name]) for name, value in written.items())
    assert any(not torch.equal(value, now[name]) for name, value in trained.items())
