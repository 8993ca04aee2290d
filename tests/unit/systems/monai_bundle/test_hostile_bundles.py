"""What of a bundle is refused: code in any entry, other classes, circles, bombs; nothing of it runs."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rogseg.systems import MonaiBundle
from tests.unit.systems.monai_bundle.bundles import UNET, seeded_network, write_bundle

pytest.importorskip("monai.bundle")
INTENSITY = {"_target_": "ScaleIntensityd", "keys": "image"}
SPACING = {"_target_": "Spacingd", "keys": "image", "pixdim": [1.0, 1.0, 2.0]}
ORIENTATION = {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"}
PADDING = {"_target_": "DivisiblePadd", "keys": "image", "k": 4}
TYPE = {"_target_": "EnsureTyped", "keys": "image"}
LOADING = {"_target_": "LoadImaged", "keys": "image"}
NIBABEL = {"_target_": "monai.data.NibabelReader", "as_closest_canonical": True}
ACTIVATION = {"_target_": "Activationsd", "keys": "pred"}
DECISION = {"_target_": "AsDiscreted", "keys": "pred"}
RELABELLING = {"_target_": "MapLabelValued", "keys": "pred", "orig_labels": [1, 2], "target_labels": [2, 1]}


class Evil:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (os.environ["EVIL_FOLDER"],)


RUN = "$__import__('os').mkdir(__import__('os').environ['EVIL_FOLDER'])"
FIRST, LAST = "preprocessing__transforms", "postprocessing__transforms"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"network_def": RUN}, r"network_def is the expression .*which is code and was not run.*--trust"),
        ({"network_def__out_channels": RUN}, r"network_def#out_channels is the expression"),
        ({"network_def__in_channels": "@dataset#data"}, r"dataset#data is the expression"),
        ({"network_def": {"_target_": "os.mkdir", "path": "x"}}, r"_target_ is 'os\.mkdir', which is not on the list"),
        ({"network_def": {**UNET, "_target_": "monai.networks.nets.unet.torch.hub.load"}}, r"not on the list"),
        ({"network_def": {**UNET, "act": {"_target_": "os.mkdir", "path": "x"}}}, r"network_def#act is built from"),
        ({"network_def": {**UNET, "_requires_": RUN}}, r"network_def#_requires_ is the expression"),
        ({"network_def": {**UNET, "_mode_": "debug"}}, r"network_def#_mode_ is not accepted"),
        ({"network_def": {**UNET, "channels": [10**9, 8]}}, r"no network has a number above"),
        (
            {"network_def": {**UNET, "channels": [4000, 4000]}},
            r"model\.pt: weights of another network",
        ),
        ({"network_def__out_channels": "%metadata.json::version"}, r"an entry of another file"),
        ({"inferer": RUN}, r"inferer is the expression"),
        ({"inferer__overlap": RUN}, r"inferer#overlap is the expression"),
        ({"inferer__roi_size": "@nowhere"}, r"'@nowhere' leads to no entry"),
        ({"window": "@inferer#roi_size"}, r"leads in a circle"),
        ({"inferer": {"_target_": "os.mkdir"}}, r"followed are SimpleInferer"),
        ({"preprocessing": RUN}, r"preprocessing is the expression"),
        ({FIRST: [INTENSITY, {"_target_": "Lambdad", "keys": "image", "func": RUN}]}, r"\(Lambda\) is not followed"),
        ({FIRST: [{**INTENSITY, "maxv": RUN}]}, r"transforms#0#maxv is the expression"),
        ({FIRST: [{**INTENSITY, "_disabled_": RUN}]}, r"transforms#0#_disabled_ is the expression"),
        (
            {FIRST: [{"_target_": "CropForegroundd", "keys": "image"}]},
            r"\(CropForeground\) is not followed",
        ),
        ({FIRST: [INTENSITY, SPACING]}, r"1 \(Spacing\) comes after a change of intensities.*: swap the two"),
        ({FIRST: [SPACING, ORIENTATION]}, r"1 \(Orientation\) comes after a change of spacing.*: swap the two"),
        ({FIRST: [PADDING, INTENSITY]}, r"1 \(ScaleIntensity\) comes after padding.*: swap the two"),
        ({FIRST: [PADDING, ORIENTATION]}, r"1 \(Orientation\) comes after padding.*: swap the two"),
        (
            {FIRST: [{**TYPE, "track_meta": False}, ORIENTATION]},
            r"1 \(Orientation\) comes after a tensor that lost its",
        ),
        ({FIRST: [{**INTENSITY, "factor": 2}]}, r"factor is 2, which is not followed"),
        ({FIRST: [{**INTENSITY, "dtype": "$np.uint8"}]}, r"dtype is '\$np\.uint8', and intensities are not rounded"),
        ({FIRST: [{**TYPE, "dtype": "@type"}], "type": "int16"}, r"0 \(EnsureType\): dtype is 'int16'"),
        ({FIRST: [{**LOADING, "as_closest_canonical": True}]}, r"as_closest_canonical is True, which is not followed"),
        ({FIRST: [{**LOADING, "reverse_indexing": True}]}, r"0 \(LoadImage\): reverse_indexing is True, which is not"),
        ({FIRST: [{**LOADING, "reader": NIBABEL}]}, r"as_closest_canonical is True, which is not followed"),
        ({FIRST: [{**SPACING, "min_pixdim": [1, 1, 1]}]}, r"min_pixdim is \[1, 1, 1\], which is not followed"),
        ({FIRST: [{**ORIENTATION, "labels": [["R", "L"], ["P", "A"], ["I", "S"]]}]}, r"labels is .*not followed"),
        ({FIRST: [{**PADDING, "mode": "reflect"}]}, r"mode is 'reflect', which is not followed"),
        ({FIRST: [{**PADDING, "method": "end"}]}, r"method is 'end', which is not followed"),
        ({FIRST: [{**PADDING, "value": 1}]}, r"value is 1, which is not followed"),
        ({LAST: [{**ACTIVATION, "other": RUN}]}, r"transforms#0#other is the expression"),
        ({LAST: [{**ACTIVATION, "sigmoid": True}, {**DECISION, "threshold": 0.7}]}, r"threshold is 0\.7, and channels"),
        ({LAST: [{**ACTIVATION, "softmax": True}, {**DECISION, "threshold": 0.5}]}, r"threshold is 0\.5, and channels"),
        ({LAST: [{**DECISION, "threshold": 0.5}]}, r"threshold is 0\.5, and channels .*0 of what comes to this step"),
        ({LAST: [RELABELLING]}, r"gives the classes other label values \(MapLabelValue\): say which"),
        ({"network_def": {**UNET, "norm": ["instance", {"affine": RUN}]}}, r"network_def#norm#1#affine is the expres"),
        (
            {"network_def": {**UNET, "norm": ["instance", {"_target_": "os.mkdir"}]}},
            r"norm#1 is built from 'os\.mkdir'",
        ),
        ({"network_def": "@network_def"}, r"leads in a circle"),
        ({"network_def": "@a", "a": "@b", "b": "@a"}, r"leads in a circle"),
        ({"network_def__channels": ["@network_def#channels#0", 8]}, r"leads in a circle"),
        ({"inferer__roi_size": [10**30, 8, 8]}, r"roi_size|size"),
        ({"inferer__roi_size": [True, 8, 8]}, r"roi_size must be three positive whole numbers"),
        ({"inferer__overlap": "a lot"}, r"overlap"),
        ({"inferer__sw_batch_size": 0}, r"batch"),
        ({"inferer__mode": "sharp"}, r"blend"),
        ({FIRST: "@preprocessing"}, r"circle|no Compose"),
        ({FIRST: [5]}, r"preprocessing#transforms#0 is no object with _target_"),
        ({FIRST: [{**INTENSITY, "minv": "low"}]}, r"minv|lower"),
        ({"network_def": {**UNET, "spatial_dims": 2}}, r"weights of another network"),
        ({"network_def": {**UNET, "channels": []}}, r"UNet does not take these arguments"),
        ({"network_def": {**UNET, "nonsense": 1}}, r"UNet does not take these arguments"),
        ({"network_def": {**UNET, "num_res_units": 4000}}, r"network_def#num_res_units asks for 4000"),
        ({"network_def": {**UNET, "channels": [1] * 3000}}, r"network_def#channels asks for 3000"),
    ],
)
def test_a_config_that_would_run_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    monkeypatch.setenv("EVIL_FOLDER", str(tmp_path / "ran"))
    monkeypatch.chdir(tmp_path)
    folder = write_bundle(tmp_path / "evil", **changes)
    with pytest.raises(ValueError, match=said):
        MonaiBundle(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil"]


def test_a_bomb_of_references_is_refused_before_it_grows(tmp_path: Path) -> None:
    levels: dict[str, Any] = {f"level{depth}": [f"@level{depth + 1}"] * 12 for depth in range(12)}
    folder = write_bundle(tmp_path / "bomb", **levels, level12=1, network_def__channels="@level0")
    with pytest.raises(ValueError, match="too many entries"):
        MonaiBundle(folder)


def test_references_that_double_with_each_step_end(tmp_path: Path) -> None:
    """Each path goes through two references that go through two references."""
    levels: dict[str, Any] = {f"level{depth}": [f"@level{depth + 1}#0#0"] for depth in range(38)}
    folder = write_bundle(tmp_path / "bomb", **levels, level38=[[1]], network_def__channels="@level0#0#0")
    with pytest.raises(ValueError, match=r"too many references|leads to no entry|circle"):
        MonaiBundle(folder)


@pytest.mark.parametrize(
    "metadata",
    [
        {"network_data_format": 5},
        {"network_data_format": {"inputs": [], "outputs": {"pred": 5}}},
        {"network_data_format": {"inputs": {}, "outputs": {"pred": {"channel_def": ["a"]}}}},
        {"network_data_format": {"inputs": {}, "outputs": {"pred": {"channel_def": {"0": "background"}}}}},
    ],
)
def test_odd_metadata_name_no_classes(tmp_path: Path, metadata: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="do not name the classes"):
        MonaiBundle(write_bundle(tmp_path / "bundle", metadata=metadata))


@pytest.mark.parametrize("text", ["[", "[1]", '{"version": NaN}', '{"a": 1, "a": 2}', "[" * 100_000])
def test_metadata_that_are_no_json_object_are_told(tmp_path: Path, text: str) -> None:
    folder = write_bundle(tmp_path / "bundle")
    (folder / "configs" / "metadata.json").write_text(text)
    with pytest.raises(ValueError, match=r"metadata"):
        MonaiBundle(folder)


def test_a_program_in_place_of_the_weights_does_not_run(tmp_path: Path) -> None:
    folder = write_bundle(tmp_path / "bundle")
    program = torch.jit.script(torch.nn.Identity())
    program.save(folder / "models" / "model.pt")  # type: ignore[no-untyped-call]
    with pytest.raises(ValueError, match=r"model\.pt: .*TorchProgram"):
        MonaiBundle(folder)


def test_a_pickle_among_the_weights_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVIL_FOLDER", str(tmp_path / "ran"))
    folder = write_bundle(tmp_path / "evil")
    torch.save({"model": Evil()}, folder / "models" / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt: not a checkpoint of tensors and plain data"):
        MonaiBundle(folder)
    assert not (tmp_path / "ran").exists()


def test_trust_lets_monai_run_expressions_and_build_other_classes(tmp_path: Path) -> None:
    network = seeded_network(UNET)
    folder = write_bundle(
        tmp_path / "trusted",
        network,
        network_def={**UNET, "_target_": "monai.networks.nets.Unet", "out_channels": "$1 + 2"},
        inferer__overlap="$1 / 4",
    )
    with pytest.raises(ValueError, match="--trust"):
        MonaiBundle(folder)
    system = MonaiBundle(folder, trust=True)
    assert system.identity.options["windows"]["overlap"] == 0.25
    assert system.identity.options["trust"] is True
    inputs = torch.randn(1, 1, 8, 8, 8)
    assert torch.allclose(system.logits(inputs), network(inputs), atol=1e-6)


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        ("configs/inference.json", r"a bundle without configs/inference\.json"),
        ("models/model.pt", r"model\.pt: no such file"),
        ("configs/metadata.json", r"the metadata beside it do not name the classes; name the foreground classes"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, absent: str, said: str) -> None:
    folder = write_bundle(tmp_path / "bundle")
    (folder / absent).unlink()
    with pytest.raises(ValueError, match=said):
        MonaiBundle(folder)
    with pytest.raises(ValueError, match="lies outside of the bundle"):
        MonaiBundle(write_bundle(tmp_path / "other"), checkpoint="../../secret.pt")
