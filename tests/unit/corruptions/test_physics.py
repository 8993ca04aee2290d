"""Each corruption against what its parameter promises, known in closed form or from another library."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from rogseg.corruptions import (
    BeamHardening,
    BiasField,
    Blur,
    ChannelDropped,
    ContrastInversion,
    Corruption,
    DoseNoise,
    Gamma,
    GaussianNoise,
    Ghosting,
    GibbsRinging,
    KSpaceSpikes,
    MetalStreaks,
    MissingSlices,
    Motion,
    RicianNoise,
    Rotation,
    Scaling,
    Scan,
    Severities,
    ThickSlices,
    WindowShift,
    find_parameter,
    modality_of,
)
from rogseg.corruptions.movement import moved_labels, moved_volume, rotation, sampling_grid
from rogseg.metrics import image_range, structural_similarity
from tests.unit.corruptions.scans import ct_scan, mr_scan


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(value: float, kind: str = "MR", shape: tuple[int, int, int] = (24, 24, 24)) -> Scan:
    """One intensity, but for a corner that is air."""
    voxels = torch.full((1, *shape), value)
    voxels[:, 0, 0, 0] = -1000.0 if kind == "CT" else 0.0
    return Scan(voxels, (1.0, 1.0, 1.0), ("CT",) if kind == "CT" else ("MR",))


def test_rician_noise_lifts_the_dark_and_spreads_the_bright() -> None:
    bright = RicianNoise().at(flat(100.0), 5, seeded()).voxels[:, 1:]
    assert float(bright.std()) == pytest.approx(5, rel=0.05)
    voxels = torch.zeros(1, 20, 20, 20)
    voxels[:, 10:] = 100
    dark = RicianNoise().at(Scan(voxels, (1, 1, 1), ("MR",)), 5, seeded()).voxels[:, :10]
    # Without a signal the magnitude is Rayleigh distributed.
    assert float(dark.mean()) == pytest.approx(5 * math.sqrt(math.pi / 2), rel=0.03)


def test_noise_of_ct_is_in_hounsfield_units() -> None:
    white = GaussianNoise().at(flat(50.0, "CT"), 2, seeded()).voxels - flat(50.0, "CT").voxels
    assert float(white.std()) == pytest.approx(20, rel=0.03)
    quarter = DoseNoise().at(flat(50.0, "CT"), 25, seeded()).voxels - flat(50.0, "CT").voxels
    assert float(quarter.std()) == pytest.approx(12 * math.sqrt(3), rel=1e-3)
    # Its mean over a slice is that of the clean scan: the ramp has nothing at the centre.
    assert float(quarter.mean((1, 2)).abs().max()) < 1e-3


def test_the_bias_field_has_the_range_that_it_says() -> None:
    factor = (BiasField().at(flat(100.0), 40, seeded()).voxels / 100)[:, 1:]
    assert float(factor.max()) <= 1.2 + 1e-5
    assert float(factor.min()) >= 0.8 - 1e-5
    assert float(factor.max() - factor.min()) > 0.3


def test_gamma_is_a_power_of_the_share() -> None:
    voxels = torch.linspace(0, 1, 1000).view(1, 10, 10, 10)
    made = Gamma().at(Scan(voxels, (1, 1, 1), ("MR",)), 2, seeded()).voxels
    share = voxels / float(np.percentile(voxels.numpy(), 99))
    assert any(
        torch.allclose(made / made.flatten()[989], (share / share.flatten()[989]) ** p, atol=1e-4) for p in (2, 0.5)
    )


def test_an_offset_stays_inside_the_range() -> None:
    scan = ct_scan()
    made = WindowShift().at(scan, 10, seeded()).voxels
    assert float(made.min()) >= float(scan.voxels.min())
    assert float(made.max()) <= float(scan.voxels.max())
    assert float((made - scan.voxels).abs().median()) == pytest.approx(100, abs=1)


def test_inverted_contrast_turns_the_order_round_and_leaves_air_dark() -> None:
    scan = mr_scan()
    made = ContrastInversion().at(scan, 100, seeded()).voxels
    body = functional.avg_pool3d(scan.voxels[None], 3, 1, 1, count_include_pad=False)[0] > 0.2 * scan.signal
    tissue = body & (scan.voxels > 100)
    assert float(torch.corrcoef(torch.stack([scan.voxels[tissue], made[tissue]]))[0, 1]) < -0.95
    assert torch.equal(made[~body], scan.voxels[~body])


def test_ringing_keeps_the_middle_of_k_space() -> None:
    voxels = 100 + 5 * torch.randn(1, 20, 24, 8, generator=seeded())
    voxels[:, 0, 0, 0] = 0  # the floor; far from it a magnitude changes nothing
    scan = Scan(voxels, (1, 1, 3), ("MR",))
    spectrum = torch.fft.fft2(GibbsRinging().at(scan, 50, seeded()).voxels, dim=(1, 2))
    whole = torch.fft.fft2(scan.voxels, dim=(1, 2))
    rows, columns = torch.fft.fftfreq(20, 1 / 20).abs() <= 5, torch.fft.fftfreq(24, 1 / 24).abs() <= 6
    kept = (rows[:, None] & columns[None, :])[None, :, :, None].expand_as(whole)
    torch.testing.assert_close(spectrum[kept], whole[kept], atol=0.01, rtol=1e-4)
    assert float(spectrum[~kept].abs().max()) < 0.01


def test_spikes_are_three_waves() -> None:
    scan = flat(100.0, shape=(64, 64, 2))
    scan = dataclasses.replace(scan, spacing=(1.0, 1.0, 5.0))
    waves = KSpaceSpikes().at(scan, 10, seeded()).voxels - scan.voxels
    # The variance of a wave is half the square of its height.
    assert float(waves.std()) == pytest.approx(10 * math.sqrt(1.5), rel=0.1)
    torch.testing.assert_close(waves[:, 1:, :, 0], waves[:, 1:, :, 1], atol=1e-4, rtol=0)


def test_ghosts_are_copies_at_a_fraction_of_the_field_of_view() -> None:
    voxels = torch.zeros(1, 60, 60, 2)
    voxels[:, 28:32, 28:32] = 100
    made = Ghosting().at(Scan(voxels, (1, 1, 4), ("MR",)), 50, seeded(1)).voxels
    outside = made.abs().clone()
    outside[:, 26:34, 26:34] = 0
    axis = 1 if float(outside.sum((0, 2, 3)).max()) < float(outside.sum((0, 1, 3)).max()) else 0
    profile = made.abs().sum((0, 2 - axis, 3))
    assert float(profile.max()) > 3 * float(profile.median())
    assert float(outside.max()) > 5


def test_a_patient_who_does_not_move_is_not_blurred_and_motion_keeps_the_anatomy_in_place() -> None:
    scan = mr_scan()
    nearly = Motion().at(scan, 1e-4, seeded()).voxels
    torch.testing.assert_close(nearly, scan.voxels, atol=2.0, rtol=0)
    moved = Motion().at(scan, 3, seeded()).voxels
    assert moved.min() >= scan.voxels.min()
    assert float(torch.corrcoef(torch.stack([moved.flatten(), scan.voxels.flatten()]))[0, 1]) > 0.8


def test_blur_is_in_millimetres() -> None:
    voxels = torch.zeros(1, 41, 41, 41)
    voxels[:, 20, 20, 20] = 1
    made = Blur().at(Scan(voxels, (1, 1, 2), ("MR",)), 2, seeded()).voxels[0]
    place = torch.arange(41.0) - 20
    for axis, step in enumerate((1, 1, 2)):
        others = tuple(other for other in range(3) if other != axis)
        assert float((made.sum(others) * (place * step) ** 2).sum().sqrt()) == pytest.approx(2, rel=0.03)


def test_thick_slices_change_nothing_inside_a_slice_of_the_widest_spacing() -> None:
    generator = seeded()
    stripes = torch.rand(1, 12, 12, 1, generator=generator).expand(1, 12, 12, 8)
    scan = Scan(stripes.clone(), (1, 1, 4), ("MR",))
    torch.testing.assert_close(ThickSlices().at(scan, 4, generator).voxels, scan.voxels)
    across = Scan(stripes.movedim(3, 1).clone(), (1, 1, 4), ("MR",))
    assert float(ThickSlices().at(across, 4, generator).voxels.std()) < 0.8 * float(across.voxels.std())


def test_lost_slices_are_as_many_as_it_says() -> None:
    scan = mr_scan(2)
    made = MissingSlices().at(scan, 25, seeded()).voxels
    empty = (made == scan.floor).all(0).flatten(0, 1).all(0)
    assert int(empty.sum()) == round(0.25 * scan.voxels.shape[3])


def test_a_channel_loses_slices_and_the_others_none() -> None:
    scan = mr_scan(2)
    made = ChannelDropped().at(scan, 100, seeded()).voxels
    (lost,) = [index for index in range(2) if not torch.equal(made[index], scan.voxels[index])]
    slices = (made[lost] == scan.floor[lost]).flatten(0, 1).all(0)
    assert int((~slices).sum()) == 1
    assert made[lost].min() < made[lost].max()


@pytest.mark.parametrize("corruption", [ChannelDropped(), MissingSlices()])
@pytest.mark.parametrize("severity", range(1, 6))
@pytest.mark.parametrize("seed", range(4))
def test_slices_are_lost_where_there_is_something_to_lose(corruption: Corruption, severity: int, seed: int) -> None:
    """As around a brain without its skull: to lose empty slices changes nothing, and to keep them leaves no image."""
    voxels = torch.zeros(2, 8, 8, 20)
    voxels[..., 5:15] = 1 + torch.rand(2, 8, 8, 10, generator=seeded())
    scan = Scan(voxels, (1.0, 1.0, 1.0), ("MR", "MR"))
    made = corruption(scan, severity, seeded(seed)).voxels
    share = corruption.severities.levels[severity - 1] / 100
    is_empty = (made == 0).flatten(1, 2).all(1)[:, 5:15]
    fewest_left = 2 if isinstance(corruption, MissingSlices) else 1
    assert int(is_empty.sum(1).max()) == min(max(1, round(share * 10)), 10 - fewest_left)
    assert bool((made.flatten(1).amax(1) > 0).all())


@pytest.mark.parametrize("corruption", [Rotation(), Scaling()])
def test_the_label_moves_with_the_image(corruption: Corruption) -> None:
    scan = mr_scan()
    assert scan.labels is not None
    as_image = Scan((scan.labels == 1).float()[None] * 100, scan.spacing, scan.modalities, scan.labels)
    for seed in range(4):
        made = corruption.at(as_image, 15, seeded(seed))
        assert made.labels is not None
        differing = (made.labels == 1) ^ (made.voxels[0] > 50)
        assert int(differing.sum()) < 0.02 * int((made.labels == 1).sum())


def test_a_quarter_turn_and_a_shift_of_whole_voxels_are_exact() -> None:
    scan = Scan(torch.rand(1, 8, 8, 8, generator=seeded()), (1, 1, 1), ("MR",))
    turned = moved_volume(scan, sampling_grid(scan, rotation(2, 90), torch.zeros(3)))
    torch.testing.assert_close(turned, torch.rot90(scan.voxels, -1, (1, 2)), atol=1e-5, rtol=0)
    labels = torch.zeros(8, 8, 8, dtype=torch.int64)
    labels[2:4, 2:4, 2:4] = 5
    shifted = moved_labels(labels, sampling_grid(scan, torch.eye(3), torch.tensor([2.0, 0, 0])))
    assert torch.equal(shifted[:6], labels[2:])
    assert int(shifted[6:].max()) == 0


def test_streaks_come_from_metal_in_bone_and_stay_in_their_slices() -> None:
    scan = dataclasses.replace(ct_scan(), spacing=(2, 2, 5))  # whole numbers are numbers, too
    made = MetalStreaks().at(scan, 200, seeded()).voxels
    changed = (made != scan.voxels)[0].flatten(0, 1).any(0)
    assert int(changed.sum()) == round(scan.voxels.shape[3] / 3)
    metal = made == 3000
    assert metal.any()
    assert float(scan.voxels[metal].max()) > 700
    assert float((made - scan.voxels)[~metal].abs().max()) <= 200


def test_cupping_is_deepest_in_the_middle_and_leaves_air_alone() -> None:
    scan = ct_scan()
    lowered = (scan.voxels - BeamHardening().at(scan, 50, seeded()).voxels)[0]
    assert float(lowered.max()) == pytest.approx(50, rel=1e-3)
    assert float(lowered[0, 0, :].abs().max()) == pytest.approx(0, abs=1e-3)
    assert float(lowered[13, 11].mean()) > 35


@pytest.mark.parametrize(
    ("name", "unit", "kind"),
    [
        ("CT", "HU", "CT"),
        ("MRI", "", "MR"),
        ("T1w", "", "MR"),
        ("MRI", "HU", "MR"),
        ("image", "HU", "CT"),
        ("t1gd", "", "MR"),
        ("ADC", "", "MR"),
        ("PET", "", "other"),
    ],
)
def test_modalities_are_known_by_their_names(name: str, unit: str, kind: str) -> None:
    assert modality_of(name, unit) == kind


@pytest.mark.parametrize(("neutral", "extreme"), [(0, 60), (100, 1)])
def test_bisection_finds_where_a_known_curve_reaches_the_target(neutral: float, extreme: float) -> None:
    way = extreme - neutral
    levels = tuple(neutral + way * step / 10 for step in range(1, 6))
    severities = Severities("x", "", neutral, levels, extreme, "made up for this test")

    def similarity(parameter: float) -> float:
        return 1 - 0.5 * abs(parameter - neutral) / abs(way)

    found = find_parameter(severities, similarity, 0.8)
    assert found is not None
    assert found.parameter == pytest.approx(neutral + 0.4 * way, abs=0.005 * abs(way))
    assert found.reached == pytest.approx(0.8, abs=0.002)
    assert find_parameter(severities, similarity, 0.3) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        find_parameter(severities, similarity, 1.0)


def test_a_target_that_the_steps_of_a_corruption_pass_over_has_no_parameter() -> None:
    """The least that a scan of few slices can lose is one."""
    scan = ct_scan()

    def similarity(parameter: float) -> float:
        made = MissingSlices().at(scan, parameter, seeded()).voxels.numpy()
        return structural_similarity(scan.voxels.numpy(), made, image_range(scan.voxels.numpy()))

    one_lost = similarity(1)
    assert one_lost < 0.9
    assert find_parameter(MissingSlices.severities, similarity, 0.95) is None
    found = find_parameter(MissingSlices.severities, similarity, one_lost + 0.01)
    assert found is not None
    assert found.reached == one_lost


def test_levels_must_lead_away_from_neutral() -> None:
    with pytest.raises(ValueError, match="one side"):
        Severities("x", "", 0, (1, 2, 2, 3, 4), 5, "")
    with pytest.raises(ValueError, match="one side"):
        Severities("x", "", 2, (1, 2.5, 3, 3.5, 4), 5, "")
