"""The system against nnU-Net's own predictor and command, on small networks of every kind."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from rogseg.systems import NNUNetSystem
from tests.unit.systems.nnunet.tiny_folder import REGIONS, tiny_dataset, tiny_plans, write_case, write_folder

pytest.importorskip("nnunetv2")

TWO_CHANNELS = ("CTNormalization", "ZScoreNormalization")
# What each is: plan, dataset, folds, mirroring axes, case.
KINDS: dict[
    str, tuple[dict[str, Any], dict[str, Any] | None, list[int | str], tuple[int, ...] | None, dict[str, Any]]
] = {
    "plain": ({}, None, [0], (0, 1, 2), {}),
    "turned, resampled and masked, two folds": (
        {"spacing": (1.3, 0.8, 1.1), "transpose": (2, 0, 1), "masked": True},
        None,
        [0, 2],
        (0, 2),
        {"corner": True},
    ),
    "slices": ({"dimensions": 2, "spacing": (1.0, 1.3, 0.9)}, None, [0], (0, 1), {}),
    "residual, regions, thick slices": (
        {"schemes": TWO_CHANNELS, "residual": True, "spacing": (3.5, 1, 1)},
        tiny_dataset(REGIONS, 2),
        [0],
        None,
        {"channels": 2, "labels": (0, 1, 2, 3)},
    ),
    "reoriented": ({"reader": "NibabelIOWithReorient"}, None, ["all"], (0,), {"flip": True}),
}


def predictor_of(folder: Path, folds: list[int | str], *, mirroring: bool = True) -> Any:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=torch.device("cpu"), use_mirroring=mirroring, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder), tuple(folds))
    return predictor


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_logits_and_labels_equal_those_of_nnunet(kind: str, tmp_path: Path) -> None:
    plan, dataset, folds, axes, options = KINDS[kind]
    folder = write_folder(tmp_path / "net", tiny_plans(**plan), dataset, folds=folds, axes=axes)
    raw = write_case(tmp_path / "raw", **options)
    predictor = predictor_of(folder, folds)
    files = [str(path) for path in raw.images]
    configuration = predictor.configuration_manager
    data, _, _ = configuration.preprocessor_class(verbose=False).run_case(
        files, None, predictor.plans_manager, configuration, predictor.dataset_json
    )
    expected = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(data))
    (tmp_path / "out").mkdir()
    predictor.predict_from_files_sequential([files], [str(tmp_path / "out" / "labels")])
    written = np.asarray(nibabel.load(tmp_path / "out" / "labels.nii.gz").dataobj)

    system = NNUNetSystem(folder)
    case = system.prepare(raw)
    assert torch.equal(case.inputs, torch.from_numpy(data)[None].float())
    half = system.predictor_logits(case)
    assert half.dtype == torch.float16
    assert torch.equal(half[0], expected)
    assert np.array_equal(system.to_raw(half, case), system.label_classes.indices_of_written(written))
    assert len(np.unique(written)) > 1

    logits = system.logits(case.inputs)
    assert logits.dtype == torch.float32
    difference = (logits - half).abs()
    assert difference.max() < 0.6
    assert difference.mean() < 0.005
    # Decisions differ in near-ties alone.
    scores, half_scores = system.decide(logits), system.decide(half.float())
    flipped = scores.argmax(1) != half_scores.argmax(1)
    best, second = scores.topk(2, dim=1).values.unbind(1)
    assert ((best - second)[flipped] < 2 * difference.amax(1)[flipped] + 1e-6).all()


def test_mirroring_can_be_left_out_and_the_identity_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", axes=(0, 2))
    case_files = write_case(tmp_path / "raw")
    mirrored, plain = NNUNetSystem(folder), NNUNetSystem(folder, mirroring=False)
    case = plain.prepare(case_files)
    predictor = predictor_of(folder, [0], mirroring=False)
    assert torch.equal(plain.predictor_logits(case)[0], predictor.predict_logits_from_preprocessed_data(case.inputs[0]))
    assert not torch.equal(plain.predictor_logits(case), mirrored.predictor_logits(case))
    assert mirrored.identity.options["mirrored_axes"] == [0, 2]
    assert plain.identity.options["mirrored_axes"] == []
    assert mirrored.identity.digest == plain.identity.digest


def test_a_gradient_passes_after_the_predictor_was_called(tmp_path: Path) -> None:
    from nnunetv2.inference.sliding_window_prediction import compute_gaussian

    from rogseg.systems.nnunet.windows import plan_bell_grid

    folder, raw = write_folder(tmp_path / "net"), write_case(tmp_path / "raw")
    compute_gaussian.cache_clear()
    plan_bell_grid.cache_clear()
    system = NNUNetSystem(folder)
    case = system.prepare(raw)
    predictor_of(folder, [0]).predict_logits_from_preprocessed_data(case.inputs[0])
    inputs = case.inputs.requires_grad_()
    (gradient,) = torch.autograd.grad(system.model(inputs).square().sum(), inputs)
    assert gradient.abs().min() > 0
