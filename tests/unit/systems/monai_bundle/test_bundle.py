"""A bundle folder as a system: read as MONAI runs it, segmented with, written back; each network on the list."""

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from rogseg.attacks import DiceBelow, LinfThreat
from rogseg.attacks.fgsm import FGSM
from rogseg.engine.model.open_system import open_system
from rogseg.systems import MonaiBundle
from tests.unit.systems.any_network.networks import write_case
from tests.unit.systems.monai_bundle.bundles import INFERENCE, METADATA, UNET, seeded_network, write_bundle

monai_bundle = pytest.importorskip("monai.bundle")


def test_it_is_opened_by_its_folder_and_says_what_it_is(tmp_path: Path) -> None:
    system = open_system([write_bundle(tmp_path / "liver")], device="cpu").system
    assert isinstance(system, MonaiBundle)
    assert system.class_names == ("liver", "tumour")
    assert [(channel.name, channel.unit) for channel in system.channels] == [("CT", "HU")]
    assert system.window_size == (8, 8, 8)
    assert system.identity.options["left_out_of_postprocessing"] == ["KeepLargestConnectedComponent"]
    assert system.identity.options["windows"]["blend"] == "constant"


def test_inputs_and_logits_are_those_that_monai_makes(tmp_path: Path) -> None:
    """On a grid that needs no resampling; MONAI runs the bundle's own entries."""
    raw = write_case(tmp_path / "raw", (13, 11, 10), spacing=(1.0, 1.0, 1.5), flip=True)
    folder = write_bundle(tmp_path / "bundle")
    system = MonaiBundle(folder)
    case = system.prepare(raw)
    parser = monai_bundle.ConfigParser(json.loads((folder / "configs" / "inference.json").read_text()))
    given = parser.get_parsed_content("preprocessing")({"image": str(raw.images[0])})["image"]
    assert np.allclose(case.inputs[0].numpy(), given.numpy(), atol=1e-5)
    assert case.box.lower.item() == 0
    assert case.box.upper.item() == 1
    assert case.raw_width == pytest.approx((221.0,))
    inferer = parser.get_parsed_content("inferer")
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(folder / "models" / "model.pt", weights_only=True))
    with torch.no_grad():
        expected = inferer(given[None].as_tensor(), network)
    assert torch.allclose(system.logits(case.inputs), expected, atol=1e-5)
    # Axes that were turned around are turned back.
    labels = expected[0].argmax(0).numpy()[::-1]
    assert np.array_equal(system.segment(case), labels)
    assert len(np.unique(labels)) > 1


def test_the_image_is_found_beside_a_label_that_is_named_first(tmp_path: Path) -> None:
    intensity = INFERENCE["preprocessing"]["transforms"][4]
    loading = {"_target_": "LoadImaged", "keys": ["label", "image"], "allow_missing_keys": True}
    forgetting = {"_target_": "EnsureTyped", "keys": "image", "track_meta": False}
    folder = write_bundle(tmp_path / "bundle", preprocessing__transforms=[loading, intensity, forgetting])
    (followed,) = MonaiBundle(folder).identity.options["inputs"]["intensity"]
    assert followed["type"] == "ScaleIntensityRange"


def test_padding_after_the_intensities_and_turning_an_even_spacing_are_monais(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", (13, 11, 10), flip=True)
    load = [{"_target_": name, "keys": "image"} for name in ("LoadImaged", "EnsureChannelFirstd")]
    spacing = {"_target_": "Spacingd", "keys": "image", "pixdim": [1.0, 1.0, 1.0]}
    orientation = {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"}
    scale = {"_target_": "ScaleIntensityd", "keys": "image"}
    steps = [*load, spacing, orientation, scale, {"_target_": "DivisiblePadd", "keys": "image", "k": 4}]
    folder = write_bundle(tmp_path / "bundle", preprocessing__transforms=steps, inferer={"_target_": "SimpleInferer"})
    system = MonaiBundle(folder)
    case = system.prepare(raw)
    seen: list[torch.Tensor] = []
    system.networks[0].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    assert system.logits(case.inputs).shape[2:] == (13, 11, 10)
    parser = monai_bundle.ConfigParser(json.loads((folder / "configs" / "inference.json").read_text()))
    expected = parser.get_parsed_content("preprocessing")({"image": str(raw.images[0])})["image"]
    assert expected.shape == (1, 16, 12, 12)
    assert np.allclose(seen[0][0].numpy(), expected.numpy(), atol=1e-5)


ONE_CHANNEL = {
    "metadata": {
        "network_data_format": {
            "inputs": METADATA["network_data_format"]["inputs"],
            "outputs": {"pred": {"num_channels": 1, "channel_def": {"0": "liver"}}},
        }
    }
}


SWAPPED = {"orig_labels": [1, 2], "target_labels": [2, 1]}


@pytest.mark.parametrize(
    ("steps", "channels", "activation"),
    [
        ([("Activations", {"sigmoid": True}), ("AsDiscrete", {"argmax": True})], 3, "softmax"),
        ([("Activations", {"sigmoid": [True]}), ("AsDiscrete", {"threshold": [0.5]})], 1, "sigmoid"),
        ([("Activations", {"sigmoid": False, "softmax": False}), ("AsDiscrete", {"threshold": 0})], 1, "sigmoid"),
        ([("AsDiscrete", {"argmax": [True]}), ("MedianSmooth", {"radius": 0})], 3, "softmax"),
        ([("AsDiscrete", {"argmax": True}), ("MapLabelValue", {"_disabled_": "True", **SWAPPED})], 3, "softmax"),
    ],
)
def test_it_decides_as_its_postprocessing_does(
    tmp_path: Path, steps: list[tuple[str, dict[str, Any]]], channels: int, activation: str
) -> None:
    transforms = [{"_target_": f"{name}d", "keys": "pred", **arguments} for name, arguments in steps]
    definition = {**UNET, "out_channels": channels}
    changes = {**(ONE_CHANNEL if channels == 1 else {}), "network_def": definition}
    folder = write_bundle(
        tmp_path / "bundle", seeded_network(definition), postprocessing__transforms=transforms, **changes
    )
    system = MonaiBundle(folder)
    assert system.identity.options["outputs"]["activation"] == activation
    left_out = [name for name, _ in steps if name == "MedianSmooth"]
    assert system.identity.options["left_out_of_postprocessing"] == left_out
    raw = write_case(tmp_path / "raw", spacing=(1.0, 1.0, 1.5), labels=(0, 1))
    case = system.prepare(raw)
    parser = monai_bundle.ConfigParser(json.loads((folder / "configs" / "inference.json").read_text()))
    expected = parser.get_parsed_content("postprocessing")({"pred": system.logits(case.inputs)[0]})["pred"]
    labels = system.segment(case)
    assert np.array_equal(labels, expected[0].numpy())
    assert len(np.unique(labels)) > 1


def test_a_network_that_ends_in_its_sigmoid_is_cut_where_its_postprocessing_cuts(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 1, 3, padding=1), torch.nn.Sigmoid()).eval()
    folder = write_bundle(
        tmp_path / "bundle",
        network,
        **ONE_CHANNEL,
        network_def="$torch.nn.Sequential(torch.nn.Conv3d(1, 1, 3, padding=1), torch.nn.Sigmoid())",
        imports=["$import torch"],
        postprocessing__transforms=[{"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5}],
    )
    with pytest.raises(ValueError, match=r"where the network ends in its sigmoid, say probabilities=True"):
        MonaiBundle(folder, trust=True)
    system = MonaiBundle(folder, trust=True, probabilities=True)
    case = system.prepare(write_case(tmp_path / "raw", (8, 8, 8), spacing=(1.0, 1.0, 1.5), labels=(0, 1)))
    assert np.array_equal(system.segment(case), network(case.inputs)[0, 0].detach().numpy() > 0.5)


NETWORKS: dict[str, dict[str, Any]] = {
    "UNet": {"spatial_dims": 3, "channels": [4, 8], "strides": [2]},
    "DynUNet": {
        "spatial_dims": 3,
        "kernel_size": [3, 3, 3],
        "strides": [1, 2, 2],
        "upsample_kernel_size": [2, 2],
        "filters": [4, 8, 8],
    },
    "SegResNet": {"spatial_dims": 3, "init_filters": 8, "blocks_down": [1, 1], "blocks_up": [1]},
    "SwinUNETR": {
        "feature_size": 12,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 1, 1],
        "img_size": [32, 32, 32],
        "norm_name": "batch",  # an instance norm has nothing to do at the bottom of so small a window
    },
    "VNet": {"spatial_dims": 3, "bias": False},
}


LARGE = ("SwinUNETR", "VNet")  # seconds each, however small they are made


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.check] if name in LARGE else []) for name in NETWORKS]
)
def test_each_network_is_built_by_its_exact_name_and_attacked(tmp_path: Path, name: str) -> None:
    definition = {"_target_": f"monai.networks.nets.{name}", "in_channels": 1, "out_channels": 3, **NETWORKS[name]}
    small = {key: value for key, value in definition.items() if key != "img_size"}
    network = seeded_network(small, name)
    edge = 32 if name == "SwinUNETR" else 16
    folder = write_bundle(tmp_path / "bundle", network, network_def=definition, window=[edge] * 3)
    system = MonaiBundle(folder)
    case = system.prepare(write_case(tmp_path / "raw", (edge, edge, edge), spacing=(1.0, 1.0, 1.5)))
    with torch.no_grad():
        assert torch.allclose(system.logits(case.inputs), network(case.inputs), atol=1e-5)
    assert case.targets is not None
    result = FGSM()(
        system.model,
        case.inputs,
        case.targets,
        LinfThreat.from_fraction(8 / 255, case.box),
        DiceBelow(0.0),
        generator=torch.Generator().manual_seed(0),
    )
    assert 0 < result.distance.item() <= 8 / 255 + 1e-6
    assert result.num_bad_gradients == 0


def test_it_is_written_back_so_that_monai_loads_it(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "bundle")
    (folder / "models" / "model.ts").write_bytes(b"a program with the old weights")
    system = MonaiBundle(folder)
    with torch.no_grad():
        for parameter in system.networks[0].parameters():
            parameter.add_(1)
    out = tmp_path / "out"
    system.write_back(out)
    loaded = monai_bundle.load("out", bundle_dir=str(tmp_path), source="monaihosting")
    assert loaded.keys() == system.networks[0].state_dict().keys()
    assert all(torch.equal(loaded[name], value) for name, value in system.networks[0].state_dict().items())
    assert not (out / "models" / "model.ts").exists()
    assert (out / "configs" / "inference.json").read_text() == (folder / "configs" / "inference.json").read_text()
    again = MonaiBundle(out)
    for old, new in zip(seeded_network(UNET).parameters(), again.networks[0].parameters(), strict=True):
        assert torch.equal(old + 1, new)


def test_weights_that_a_checkpoint_rounds_are_those_of_the_system_afterwards(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "bundle")
    half = {name: value.half() for name, value in seeded_network(UNET).state_dict().items()}
    torch.save(half, folder / "models" / "model.pt")
    system = MonaiBundle(folder)
    for weight in system.networks[0].parameters():
        weight.mul_(1.0001)
    system.write_back(tmp_path / "out")
    written = MonaiBundle(tmp_path / "out").networks[0].state_dict()
    assert all(torch.equal(value, written[name]) for name, value in system.networks[0].state_dict().items())


def test_a_link_out_of_a_bundle_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    folder, kept = write_bundle(tmp_path / "bundle"), tmp_path / "kept"
    (folder / "models").rename(kept)
    (folder / "models").symlink_to(kept)
    with pytest.raises(ValueError, match="lies outside of the bundle"):
        MonaiBundle(folder)
    # Within the bundle it is read; in a copy it would lead back into the first bundle.
    (folder / "models").unlink()
    kept.rename(folder / "kept")
    (folder / "models").symlink_to(folder / "kept")
    weights = (folder / "kept" / "model.pt").read_bytes()
    system = MonaiBundle(folder)
    with torch.no_grad():
        next(system.networks[0].parameters()).add_(1)
    with pytest.raises(ValueError, match="lies outside of the bundle"):
        system.write_back(tmp_path / "out")
    assert (folder / "kept" / "model.pt").read_bytes() == weights
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]
    # What else is linked stays a link, and what it leads to stays where it is.
    (folder / "models").unlink()
    (folder / "kept").rename(folder / "models")
    (tmp_path / "notes.txt").write_text("mine")
    (folder / "docs" / "notes.txt").symlink_to(tmp_path / "notes.txt")
    MonaiBundle(folder).write_back(tmp_path / "out")
    assert (tmp_path / "out" / "docs" / "notes.txt").is_symlink()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_yaml_and_references_into_entries_are_read(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    folder = write_bundle(
        tmp_path / "bundle",
        inferer={"_target_": "SlidingWindowInferer", "roi_size": "@windows::main", "overlap": 0.25},
        windows={"main": "@window"},
        mine={"transforms": INFERENCE["preprocessing"]["transforms"]},
        preprocessing="@mine",
    )
    config = folder / "configs" / "inference.json"
    config.with_suffix(".yaml").write_text(yaml.safe_dump(json.loads(config.read_text())))
    config.unlink()
    assert MonaiBundle(folder).window_size == (8, 8, 8)


def test_regions_need_their_values_from_the_user(tmp_path: Path) -> None:
    formats = {"inputs": {}, "outputs": {"pred": {"channel_def": {"0": "TC", "1": "WT", "2": "ET"}}}}
    folder = write_bundle(
        tmp_path / "brats",
        postprocessing__transforms=[{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}],
        inferer={"_target_": "SimpleInferer"},
        metadata={"network_data_format": formats},
    )
    with pytest.raises(ValueError, match=r"TC, WT, ET are independent, so say which label values.*--cfg-options"):
        open_system([folder])
    values = "classes=[dict(name='TC', values=[1, 4]), dict(name='WT', values=[1, 2, 4]), dict(name='ET', values=[4])]"
    system = open_system([folder], overrides=[values]).system
    assert system.class_names == ("WT", "TC", "ET")
    assert system.window_size is None


def test_labels_of_another_grid_than_the_bundles_come_back_in_the_raw_one(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", (13, 11, 10), spacing=(1.0, 2.0, 1.5))
    case = MonaiBundle(write_bundle(tmp_path / "bundle")).prepare(raw)
    assert case.inputs.shape[2:] == (13, 22, 10)
    assert nibabel.load(raw.images[0]).shape == (13, 11, 10)
    assert MonaiBundle(tmp_path / "bundle").segment(case).shape == (13, 11, 10)
