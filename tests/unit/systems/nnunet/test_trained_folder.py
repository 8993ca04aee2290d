"""What folders are taken, which are refused with a sentence, and what their identity says."""

import ast
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import rogseg
from rogseg.registry import SYSTEMS
from rogseg.systems import NNUNetSystem
from tests.unit.systems.nnunet.tiny_folder import LABELS, REGIONS, tiny_dataset, tiny_plans, write_folder

pytest.importorskip("nnunetv2")


def old_plans(*, residual: bool) -> dict[str, Any]:
    """As they were written before version 2.2."""
    plans = tiny_plans(residual=residual)
    configuration = plans["configurations"]["3d_fullres"]
    del configuration["architecture"]
    configuration.update(
        UNet_class_name="ResidualEncoderUNet" if residual else "PlainConvUNet",
        UNet_base_num_features=4,
        unet_max_num_features=6,
        n_conv_per_stage_encoder=[1, 1],
        n_conv_per_stage_decoder=[1],
        num_pool_per_axis=[1, 1, 1],
        pool_op_kernel_sizes=[[1, 1, 1], [2, 2, 2]],
        conv_kernel_sizes=[[3, 3, 3], [3, 3, 3]],
    )
    plans["foreground_intensity_properties_by_modality"] = plans.pop("foreground_intensity_properties_per_channel")
    del plans["label_manager"]
    return plans


@pytest.mark.parametrize("residual", [False, True])
def test_older_plans_describe_the_same_network(residual: bool, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", tiny_plans(residual=residual))
    inputs = torch.randn(1, 1, 9, 12, 8, generator=torch.Generator().manual_seed(0))
    expected = NNUNetSystem(folder).logits(inputs)
    (folder / "plans.json").write_text(json.dumps(old_plans(residual=residual)))
    assert torch.equal(NNUNetSystem(folder).logits(inputs), expected)


def test_a_configuration_takes_what_it_inherits(tmp_path: Path) -> None:
    plans = tiny_plans()
    folder = write_folder(tmp_path / "net", plans, changes={"init_args": {"configuration": "mine"}})
    plans["configurations"]["mine"] = {"inherits_from": "3d_fullres", "patch_size": [8, 8, 8]}
    (folder / "plans.json").write_text(json.dumps(plans))
    assert NNUNetSystem(folder).window_size == (8, 8, 8)
    plans["configurations"]["3d_fullres"]["inherits_from"] = "mine"
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ValueError, match="inherit from each other"):
        NNUNetSystem(folder)


def test_cascades_are_refused_with_a_sentence(tmp_path: Path) -> None:
    plans = tiny_plans()
    folder = write_folder(tmp_path / "net", plans, changes={"init_args": {"configuration": "3d_cascade_fullres"}})
    plans["configurations"]["3d_cascade_fullres"] = {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"}
    (folder / "plans.json").write_text(json.dumps(plans))
    with pytest.raises(ValueError, match=r"cascades are not supported: give the folder of 3d_fullres, 3d_lowres or 2d"):
        NNUNetSystem(folder)


def test_folds_are_those_asked_for_or_all_numbered_ones(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", folds=[0, 3, "all"])
    (folder / "fold_0_old").mkdir()
    (folder / "fold_4").mkdir()
    assert NNUNetSystem(folder).identity.options["folds"] == [0, 3]
    assert NNUNetSystem(folder, folds="all").identity.options["folds"] == ["all"]
    assert NNUNetSystem(folder, folds=3).identity.options["folds"] == [3]
    inputs = torch.randn(1, 1, 8, 12, 8, generator=torch.Generator().manual_seed(0))
    singles = [NNUNetSystem(folder, folds=[fold]).logits(inputs) for fold in (0, 3)]
    torch.testing.assert_close(NNUNetSystem(folder).logits(inputs), (singles[0] + singles[1]) / 2)
    for folds in ([1], [0, 0], []):
        with pytest.raises(ValueError, match=r"only \[0, 3, 'all'\] have a checkpoint_final\.pth"):
            NNUNetSystem(folder, folds=folds)
    with pytest.raises(ValueError, match=r"holds no fold_N/checkpoint_best\.pth"):
        NNUNetSystem(folder, checkpoint="checkpoint_best.pth")
    with pytest.raises(ValueError, match="name of a file"):
        NNUNetSystem(folder, checkpoint="../net/fold_0/checkpoint_final.pth")


def test_folders_that_hold_no_network_are_refused_with_what_to_give(tmp_path: Path) -> None:
    write_folder(tmp_path / "Dataset999" / "nnUNetTrainer__nnUNetPlans__3d_fullres")
    with pytest.raises(ValueError, match=r"give one of \['nnUNetTrainer__nnUNetPlans__3d_fullres'\]"):
        NNUNetSystem(tmp_path / "Dataset999")
    assert NNUNetSystem.recognises(tmp_path / "Dataset999")
    assert NNUNetSystem.recognises(tmp_path / "Dataset999" / "nnUNetTrainer__nnUNetPlans__3d_fullres")
    assert not NNUNetSystem.recognises(tmp_path)
    with pytest.raises(ValueError, match=r"give the folder that holds plans\.json"):
        NNUNetSystem(tmp_path / "nothing")


def test_damaged_or_foreign_files_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "net", folds=[0, 1])
    checkpoint = folder / "fold_1" / "checkpoint_final.pth"
    content = checkpoint.read_bytes()
    checkpoint.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"fold_1.*not a readable checkpoint"):
        NNUNetSystem(folder)
    write_folder(folder, folds=[1], changes={"trainer_name": "nnUNetTrainerNoMirroring"})
    with pytest.raises(ValueError, match="trained differently"):
        NNUNetSystem(folder)
    (folder / "dataset.json").write_text(json.dumps(tiny_dataset({"background": 0, "organ": 1})))
    with pytest.raises(ValueError, match=r"another network than plans\.json describes; of another shape are"):
        NNUNetSystem(folder, folds=[0])
    write_folder(folder, axes=(0, 7))
    with pytest.raises(ValueError, match="inference_allowed_mirroring_axes"):
        NNUNetSystem(folder, folds=[0])


@pytest.mark.parametrize(
    ("labels", "order", "message"),
    [
        ({"organ": 1}, None, '"background": 0'),
        ({"background": 0, "organ": 2}, None, "consecutive"),
        ({"background": 0, "organ": 1, "ignore": 1}, None, "ignore must be 2"),
        ({"background": 0, "whole": [1, 2], "core": 2}, None, "regions_class_order"),
        ({"background": 0, "whole": [1, 2], "core": 2}, [1, 1], "none twice"),
        ({"background": 0, "whole": [1, 2], "core": 2}, [2, 1], "value 1 lie in whole; "),
        ({"0": "background", "1": "organ"}, None, "'labels' is"),
    ],
)
def test_labels_that_contradict_themselves_are_refused(
    labels: dict[str, Any], order: list[int] | None, message: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "net")
    (folder / "dataset.json").write_text(json.dumps({**tiny_dataset(), "labels": labels, "regions_class_order": order}))
    with pytest.raises(ValueError, match=rf"dataset\.json.*{message}"):
        NNUNetSystem(folder)


def test_the_identity_changes_with_whatever_decides_the_outputs(tmp_path: Path) -> None:
    plans, dataset = tiny_plans(), tiny_dataset()
    folder = write_folder(tmp_path / "net", plans, dataset)
    first = NNUNetSystem(folder).identity
    assert (first.kind, first.name, first.options["precision"]) == ("nnunet", "net", "float32")
    assert first.versions["nnunetv2"].startswith("2.")
    assert NNUNetSystem(folder).identity == first
    (folder / "dataset.json").write_text(json.dumps({**dataset, "description": "who cares"}))
    assert NNUNetSystem(folder).identity.digest == first.digest
    digests = {first.digest}
    plans["configurations"]["3d_fullres"]["spacing"] = [1.0, 1.0, 1.1]
    digests.add(NNUNetSystem(write_folder(folder, plans, dataset)).identity.digest)
    digests.add(NNUNetSystem(write_folder(folder, plans, tiny_dataset({**LABELS, "ignore": 3}))).identity.digest)
    digests.add(NNUNetSystem(write_folder(folder, plans, axes=(0,))).identity.digest)
    digests.add(NNUNetSystem(write_folder(tmp_path / "other", plans, axes=(0,), folds=[1])).identity.digest)
    assert len(digests) == 5


def test_classes_and_channels_are_named(tmp_path: Path) -> None:
    plans = tiny_plans(schemes=["CTNormalization", "ZScoreNormalization"])
    folder = write_folder(tmp_path / "net", plans, tiny_dataset(REGIONS, 2))
    system = SYSTEMS.build({"type": "NNUNetSystem", "folder": str(folder)})
    assert system.class_names == ("whole", "core", "rim")
    assert [entry.values for entry in system.classes] == [(1, 2, 3), (2, 3), (3,)]
    assert [(channel.name, channel.unit) for channel in system.channels] == [
        ("MR0", "HU"),
        ("MR1", "scanner units of the case"),
    ]
    assert system.num_classes == 4
    assert system.decide(system.logits(torch.zeros(1, 2, 8, 12, 8))).shape[1] == 4


def test_a_missing_nnunet_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "net")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'rogseg\[nnunet\]'"):
        NNUNetSystem(folder)


def test_no_module_needs_nnunet_to_be_imported() -> None:
    for path in Path(rogseg.__path__[0]).rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith(("nnunetv2", "dynamic_network_architectures")) for name in names), path
