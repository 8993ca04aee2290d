"""What an adversary may do to a case that nnU-Net prepared: box, raw units, voxels that stay."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from rogseg.preprocessing import read_image
from rogseg.storage import RawCase
from rogseg.systems import NNUNetSystem
from tests.unit.systems.nnunet.tiny_folder import LABELS, REGIONS, tiny_dataset, tiny_plans, write_case, write_folder

pytest.importorskip("nnunetv2")


def test_ct_has_the_clipped_window_also_where_it_is_resampled(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw")
    for spacing in [(1, 1, 1), (1.4, 0.7, 1.2), (3.6, 0.8, 0.8)]:
        plans = tiny_plans(schemes=["CTNormalization"], spacing=spacing)
        case = NNUNetSystem(write_folder(tmp_path / f"net{spacing[0]}", plans)).prepare(raw)
        lower, upper = (-40 - 60) / 37, (190 - 60) / 37
        torch.testing.assert_close(case.box.lower.item(), lower, rtol=0, atol=1e-6)
        torch.testing.assert_close(case.box.upper.item(), upper, rtol=0, atol=1e-6)
        assert torch.equal(case.box.clip(case.inputs), case.inputs)
        assert case.raw_width == pytest.approx((230.0,), abs=1e-4)
        torch.testing.assert_close(18.5 / case.properties.lines[0].scale, 0.5)
    # Some voxels lie at either end, so the ends are those that the inputs were clipped to.
    unresampled = NNUNetSystem(tmp_path / "net1").prepare(raw)
    assert unresampled.inputs.min() == unresampled.box.lower
    assert unresampled.inputs.max() == unresampled.box.upper


def test_ct_has_the_whole_window_where_a_case_does_not_fill_it_and_no_mask_freezes_it(tmp_path: Path) -> None:
    plans = tiny_plans(schemes=["CTNormalization"], masked=True)
    plans["foreground_intensity_properties_per_channel"]["0"].update(percentile_00_5=-800.0, percentile_99_5=900.0)
    case = NNUNetSystem(write_folder(tmp_path / "net", plans)).prepare(write_case(tmp_path / "raw", corner=True))
    assert case.raw_width == pytest.approx((1700.0,), rel=1e-6)
    assert case.inputs.min() > case.box.lower
    assert case.inputs.max() < case.box.upper
    assert case.movable is None


def test_z_scored_channels_have_the_range_of_the_case_and_lead_back_to_raw_values(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", channels=2, corner=True)
    schemes = ["ZScoreNormalization", "RescaleTo01Normalization"]
    folder = write_folder(tmp_path / "net", tiny_plans(schemes=schemes, masked=True), tiny_dataset(LABELS, 2))
    case = NNUNetSystem(folder).prepare(raw)
    for channel, (line, width) in enumerate(zip(case.properties.lines, case.raw_width, strict=True)):
        image = np.asarray(nibabel.load(raw.images[channel]).dataobj)[2:-2, 2:-2, 2:-2]
        inside = np.ones(image.shape, dtype=bool)
        inside[: 13 // 2 - 2, : 11 // 2 - 2, : 17 // 2 - 2] = False
        restored = case.inputs[0, channel].numpy().transpose(2, 1, 0) * line.scale + line.offset
        np.testing.assert_allclose(restored[inside], image[inside], atol=1e-4)
        assert width == pytest.approx(image.max() - image.min(), rel=1e-5)
    assert torch.equal(case.box.lower.flatten(), case.inputs.amin((0, 2, 3, 4)))
    assert torch.equal(case.box.upper.flatten(), case.inputs.amax((0, 2, 3, 4)))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.3, 0.8, 1.1)])
def test_the_image_does_not_depend_on_the_label_and_the_outside_is_frozen(
    spacing: tuple[float, ...], tmp_path: Path
) -> None:
    raw = write_case(tmp_path / "raw", corner=True)
    system = NNUNetSystem(write_folder(tmp_path / "net", tiny_plans(masked=True, spacing=spacing)))
    labelled, bare = system.prepare(raw), system.prepare(RawCase("bare", raw.images, None))
    assert torch.equal(labelled.inputs, bare.inputs)
    assert bare.targets is None
    assert bare.movable is not None
    assert labelled.movable is not None
    assert torch.equal(labelled.movable, bare.movable)
    assert 0.05 < (~bare.movable).float().mean() < 0.3
    # The label reaches over the zero corner: handed over together, it would have changed the image.
    plans, configuration, _ = system.folder.managers()
    trapped, _, _ = configuration.preprocessor_class(verbose=False).run_case(
        [str(path) for path in raw.images], str(raw.label), plans, configuration, tiny_dataset()
    )
    assert not np.array_equal(trapped, bare.inputs[0].numpy())
    if spacing == (1.0, 1.0, 1.0):
        assert torch.equal(bare.movable[0, 0], bare.inputs[0, 0] != 0)
        assert NNUNetSystem(write_folder(tmp_path / "open", tiny_plans())).prepare(raw).movable is None


def test_targets_are_the_cropped_label_and_ignored_voxels_do_not_count(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", labels=(0, 1, 2, 3))
    label = np.asarray(nibabel.load(raw.label).dataobj)[2:-2, 2:-2, 2:-2].transpose(2, 1, 0)
    dataset = tiny_dataset({**LABELS, "ignore": 3})
    case = NNUNetSystem(write_folder(tmp_path / "net", dataset=dataset)).prepare(raw)
    assert case.targets is not None
    assert case.movable is not None
    assert np.array_equal(case.targets[0].numpy(), np.where(label == 3, 0, label))
    assert np.array_equal(case.movable[0, 0].numpy(), label != 3)
    cornered = write_case(tmp_path / "corner", labels=(0, 1, 2, 3), corner=True)
    frozen = NNUNetSystem(write_folder(tmp_path / "masked", tiny_plans(masked=True), dataset)).prepare(cornered)
    assert frozen.movable is not None
    assert frozen.targets is not None
    assert np.array_equal(frozen.targets[0].numpy(), np.where(label == 3, 0, label))
    assert np.array_equal(frozen.movable[0, 0].numpy(), (label != 3) & (frozen.inputs[0, 0].numpy() != 0))
    regions = NNUNetSystem(write_folder(tmp_path / "regions", dataset=tiny_dataset(REGIONS))).prepare(raw)
    assert regions.targets is not None
    assert np.array_equal(regions.targets[0].numpy(), label)
    assert regions.movable is None


def test_a_file_with_all_channels_is_the_same_case_as_one_file_for_each(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", channels=2)
    files = [nibabel.load(path) for path in raw.images]
    together = np.stack([np.asarray(file.dataobj) for file in files], axis=-1)
    nibabel.save(nibabel.Nifti1Image(together, files[0].affine), tmp_path / "together.nii.gz")
    plans = tiny_plans(schemes=["CTNormalization", "ZScoreNormalization"])
    system = NNUNetSystem(write_folder(tmp_path / "net", plans, tiny_dataset(LABELS, 2)))
    apart, case = system.prepare(raw), system.prepare(RawCase("case", (tmp_path / "together.nii.gz",), raw.label))
    assert torch.equal(case.inputs, apart.inputs)
    assert np.array_equal(system.segment(case), system.segment(apart))
    assert system.segment(case).shape == files[0].shape


def test_the_spacing_is_that_of_the_grid_that_the_network_sees(tmp_path: Path) -> None:
    # 9, 7 and 13 voxels of x, y and z lie inside the border; the network's axes are y, x, z of the file.
    raw = write_case(tmp_path / "raw", spacing=(0.9, 1.1, 2.0))
    plans = tiny_plans(spacing=(1.3, 0.8, 1.1), transpose=(1, 2, 0))
    case = NNUNetSystem(write_folder(tmp_path / "net", plans)).prepare(raw)
    assert case.inputs.shape[2:] == (round(7 * 1.1 / 1.3), round(9 * 0.9 / 0.8), round(13 * 2.0 / 1.1))
    assert case.spacing == pytest.approx((7 * 1.1 / 6, 9 * 0.9 / 10, 13 * 2.0 / 24))


def test_a_label_file_is_read_as_what_is_decided_in_the_raw_grid(tmp_path: Path) -> None:
    raw = write_case(tmp_path / "raw", labels=(0, 1, 2, 3))
    label = np.asarray(nibabel.load(raw.label).dataobj)
    grid = read_image(raw.images, 1)
    ignoring = NNUNetSystem(write_folder(tmp_path / "net", dataset=tiny_dataset({**LABELS, "ignore": 3})))
    targets, counts = ignoring.read_targets(raw, grid)
    assert np.array_equal(targets, np.where(label == 3, 0, label))
    assert counts is not None
    assert np.array_equal(counts, label != 3)
    merged = {**tiny_dataset({"background": 0, "any": [1, 2], "hard": 3}), "regions_class_order": [1, 3]}
    regions = NNUNetSystem(write_folder(tmp_path / "regions", dataset=merged))
    targets, counts = regions.read_targets(raw, grid)
    assert np.array_equal(targets, np.array([0, 1, 1, 2])[label])
    assert counts is None
    assert regions.label_values == (0, 1, 3)
    with pytest.raises(ValueError, match="no label"):
        regions.read_targets(RawCase("bare", raw.images, None), grid)


def test_unusable_cases_are_refused_with_file_and_remedy(tmp_path: Path) -> None:
    system = NNUNetSystem(write_folder(tmp_path / "net"))
    raw = write_case(tmp_path / "raw", labels=(0, 1, 2, 5))
    with pytest.raises(ValueError, match=r"case_0\.nii\.gz: it holds the values \[5\]"):
        system.prepare(raw)
    with pytest.raises(ValueError, match=r"gone\.nii\.gz"):
        system.prepare(RawCase("gone", (tmp_path / "gone.nii.gz",), None))
    sheared = nibabel.load(raw.images[0])
    affine = sheared.affine.copy()
    affine[0, 1] = 0.7
    nibabel.save(nibabel.Nifti1Image(np.asarray(sheared.dataobj), affine), tmp_path / "sheared.nii.gz")
    with pytest.raises(ValueError, match=r"sheared\.nii\.gz: its affine is sheared"):
        system.prepare(RawCase("sheared", (tmp_path / "sheared.nii.gz",), None))
    files = [nibabel.load(path) for path in write_case(tmp_path / "two", channels=2).images]
    together = np.stack([np.asarray(file.dataobj) for file in files], axis=-1)
    nibabel.save(nibabel.Nifti1Image(together, files[0].affine), tmp_path / "together.nii.gz")
    plans = tiny_plans(schemes=["ZScoreNormalization"] * 2, reader="NibabelIO")
    system = NNUNetSystem(write_folder(tmp_path / "nibabel", plans, tiny_dataset(LABELS, 2)))
    with pytest.raises(ValueError, match=r"together\.nii\.gz: nnU-Net's NibabelIO does not read this case"):
        system.prepare(RawCase("together", (tmp_path / "together.nii.gz",), None))
    colours = NNUNetSystem(write_folder(tmp_path / "colours", tiny_plans(schemes=["RGBTo01Normalization"])))
    with pytest.raises(ValueError, match=r"case_0_0000\.nii\.gz: nnU-Net's preprocessing does not take it .*smaller"):
        colours.prepare(raw)


@pytest.mark.parametrize(
    ("reader", "transpose", "axes"),
    [("SimpleITKIO", (0, 1, 2), "SLA"), ("NibabelIO", (2, 0, 1), "ASL"), ("NibabelIOWithReorient", (0, 1, 2), "SAR")],
)
def test_a_prepared_case_says_where_its_axes_point(
    tmp_path: Path, reader: str, transpose: tuple[int, int, int], axes: str
) -> None:
    raw = write_case(tmp_path / "raw", spacing=(1.0, 1.0, 1.0), flip=True)
    affine = nibabel.load(raw.images[0]).affine  # its axes point to the front, to the left, and up
    assert nibabel.aff2axcodes(affine) == ("A", "L", "S")
    system = NNUNetSystem(write_folder(tmp_path / "net", tiny_plans(reader=reader, transpose=transpose)))
    label = np.zeros((13, 11, 17), dtype=np.uint8)
    label[4, 5, 8] = 1  # moved to where each axis points, it moves along the axis of that letter
    centres = {}
    for letter, along in (("A", 0), ("L", 1), ("S", 2)):
        for step in (0, 3):
            moved = np.roll(label, step, along)
            assert raw.label is not None
            nibabel.save(nibabel.Nifti1Image(moved, affine), raw.label)
            case = system.prepare(raw)
            assert case.targets is not None
            assert case.axes == axes
            centres[step] = np.argwhere(case.targets[0].numpy() == 1)[0]
        opposite = {"A": "P", "L": "R", "S": "I"}[letter]
        expected = [3 if one == letter else -3 if one == opposite else 0 for one in axes]
        assert (centres[3] - centres[0]).tolist() == expected
