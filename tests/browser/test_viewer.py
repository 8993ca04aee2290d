import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.browser.conftest import OpenPage
from tests.browser.viewer_page import Viewer, expected_plane, grey_of
from tests.unit.report.synthetic import contents, saved_volume

pytestmark = pytest.mark.check
PLANES = ("axial", "coronal", "sagittal")


@pytest.fixture
def viewer(open_page: OpenPage) -> Viewer:
    return Viewer(open_page(contents(num_cases=5, num_volumes=1, systems=("one",))))


def test_planes_show_the_voxels_of_numpy(viewer: Viewer) -> None:
    volume = saved_volume("case 1", 8)
    point = tuple(viewer.state["point"])
    for plane in PLANES:
        shown = viewer.pixels(plane)[..., 0].astype(int)
        wanted = expected_plane(grey_of(volume), plane, point)
        assert shown.shape == wanted.shape
        np.testing.assert_allclose(shown, wanted, atol=1)
        # The phantom looks different from every side, so a mirrored plane would be far away.
        for mirrored in (wanted[::-1], wanted[:, ::-1], wanted[::-1, ::-1]):
            assert np.abs(shown - mirrored).max() > 50


def test_a_volume_of_other_axes_is_turned(open_page: OpenPage) -> None:
    volume = saved_volume("case 1", 8)

    def stored(array: NDArray[Any]) -> NDArray[Any]:
        """The same patient with axes that point superior, left and posterior."""
        return np.ascontiguousarray(np.moveaxis(array[..., ::-1, ::-1, :], -1, -3))

    moved = dataclasses.replace(
        volume,
        image=stored(volume.image),
        perturbation=stored(volume.perturbation),
        target=stored(volume.target),
        clean=stored(volume.clean),
        attacked=stored(volume.attacked),
        axes="SLP",
        spacing=(3.0, 2.0, 2.0),
    )
    made = dataclasses.replace(contents(num_cases=5, systems=("one",)), volumes=(moved,))
    viewer = Viewer(open_page(made))
    point = tuple(viewer.state["point"])
    for plane in PLANES:
        wanted = expected_plane(grey_of(volume), plane, point)
        np.testing.assert_allclose(viewer.pixels(plane)[..., 0].astype(int), wanted, atol=1)


def test_attacked_and_perturbation_are_the_right_ones(viewer: Viewer) -> None:
    volume, point = saved_volume("case 1", 8), tuple(viewer.state["point"])
    viewer.press("2")
    attacked = grey_of(volume) + volume.perturbation[0] / 400 * 255
    wanted = expected_plane(attacked, "axial", point)
    # Two roundings: of the image to 256 levels, of the perturbation to 255.
    np.testing.assert_allclose(viewer.pixels("axial")[..., 0].astype(int), wanted, atol=1.1)
    viewer.press("3")
    share = expected_plane(volume.perturbation[0] / np.abs(volume.perturbation[0]).max(), "axial", point)
    shown = viewer.pixels("axial").astype(int)
    np.testing.assert_allclose(shown[..., 0], np.where(share > 0, share * 255, -share * 80), atol=2)
    np.testing.assert_allclose(shown[..., 2], np.where(share > 0, share * 60, -share * 255), atol=2)
    viewer.press("+", "+", "+")
    assert viewer.state["gain"] == pytest.approx(1.25**3)
    bright = np.clip(share * 1.25**3, -1, 1)
    np.testing.assert_allclose(
        viewer.pixels("axial").astype(int)[..., 0], np.where(bright > 0, bright * 255, -bright * 80), atol=3
    )


def test_keys_move_slices_of_the_plane_that_has_the_focus(viewer: Viewer) -> None:
    x, y, z = viewer.state["point"]
    viewer.press("ArrowUp", "ArrowUp", plane="axial")
    viewer.press("ArrowDown", plane="coronal")
    viewer.press("PageUp", plane="sagittal")
    assert viewer.state["point"] == [x + 5, y - 1, z + 2]
    volume = saved_volume("case 1", 8)
    wanted = expected_plane(grey_of(volume), "coronal", (x + 5, y - 1, z + 2))
    np.testing.assert_allclose(viewer.pixels("coronal")[..., 0].astype(int), wanted, atol=1)
    viewer.press(*["PageUp"] * 20, plane="axial")
    assert viewer.state["point"][2] == volume.target.shape[2] - 1
    label = viewer.page.get_attribute('.pane[data-plane="axial"] .image', "aria-label")
    assert "slice 30 of 30" in label


def test_the_wheel_scrolls_only_a_focused_plane(viewer: Viewer) -> None:
    before = viewer.state["point"][2]
    assert viewer.wheel(5) is False  # left to the page
    assert viewer.state["point"][2] == before
    viewer.press("ArrowUp")
    assert viewer.state["point"][2] == before + 1
    assert viewer.wheel(5) is True
    assert viewer.state["point"][2] == before
    assert viewer.wheel(-5) is True
    assert viewer.state["point"][2] == before + 1


def test_a_click_moves_the_crosshair(viewer: Viewer) -> None:
    image = viewer.page.locator('.pane[data-plane="axial"] .image')
    box = image.bounding_box()
    image.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.5})
    x, y, _ = viewer.state["point"]
    # A quarter from the left is on the patient's right: a large x.
    assert abs(x - (39 - 10)) <= 1
    assert abs(y - (49 - 25)) <= 1


def test_overlays_come_and_go(viewer: Viewer) -> None:
    volume, point = saved_volume("case 1", 8), tuple(viewer.state["point"])
    viewer.press("x", "t")  # without crosshair and outlines
    attacked = expected_plane(volume.attacked, "axial", point)
    clean = expected_plane(volume.clean, "axial", point)
    row, column = (int(v[len(v) // 2]) for v in np.nonzero((attacked > 0) & (clean == 0)))
    assert viewer.mark_at("axial", column, row)[3] == pytest.approx(0.45 * 255, abs=2)
    viewer.press("a")
    assert viewer.mark_at("axial", column, row)[3] == 0
    row, column = (int(v[len(v) // 2]) for v in np.nonzero(clean == 1))
    assert viewer.mark_at("axial", column, row)[3] == 0
    viewer.press("c")
    red, green, blue, alpha = viewer.mark_at("axial", column, row)
    assert alpha == pytest.approx(0.45 * 255, abs=2)
    np.testing.assert_allclose([red, green, blue], [0x30, 0xD5, 0xA0], atol=3)
    assert viewer.page.is_checked('[data-overlay="clean"]')


def test_over_a_perturbation_predictions_are_outlined_since_a_fill_would_change_its_colours(viewer: Viewer) -> None:
    volume, point = saved_volume("case 1", 8), tuple(viewer.state["point"])
    viewer.press("x", "t", "c")
    attacked = expected_plane(volume.attacked, "axial", point)
    around = [np.roll(attacked, shift, axis) for axis in (0, 1) for shift in (-1, 1)]
    inside = (attacked > 0) & np.all([other == attacked for other in around], axis=0)
    row, column = (int(v[len(v) // 2]) for v in np.nonzero(inside))
    assert viewer.mark_at("axial", column, row)[3] > 0
    viewer.press("3")
    assert viewer.mark_at("axial", column, row)[3] == 0
    count = """() => { const marks = document.querySelector('.marks');
        const data = marks.getContext('2d').getImageData(0, 0, marks.width, marks.height).data;
        return data.filter((value, index) => index % 4 === 3 && value > 0).length; }"""
    drawn = viewer.page.evaluate(count)
    viewer.press("a", "c")
    assert drawn > viewer.page.evaluate(count) == 0


def test_before_it_is_unpacked_its_frame_has_its_size(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=5, num_volumes=1, systems=("one",)))
    page.evaluate(
        """() => { document.querySelector(".stage").classList.add("empty");
        for (const pane of document.querySelectorAll(".pane")) pane.style.width = pane.style.height = ""; }"""
    )
    frame = page.locator(".stage").bounding_box()
    assert frame["width"] > 300
    assert frame["height"] > 300
    letter = page.evaluate(
        """() => { const { right, top, height } = document.querySelector(".stage").getBoundingClientRect();
        return document.elementsFromPoint(right + 4, top + height / 2).some((one) => one.closest(".pane")); }"""
    )
    assert letter is False


def test_controls_before_it_is_unpacked_do_no_harm(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=5, num_volumes=1, systems=("one",)))
    reached = """() => [...document.querySelectorAll("#viewer :is(button, input, select, canvas, summary)")].filter(
        (one) => { one.focus({preventScroll: true}); return document.activeElement === one; }).length"""
    assert page.evaluate("() => document.getElementById('viewer').dataset.drawn") == ""
    assert page.evaluate(reached) == 0
    assert Viewer(page).page.evaluate(reached) > 10


def test_on_paper_a_slice_of_each_case_stands_for_the_viewer(viewer: Viewer) -> None:
    assert not viewer.page.locator(".strip img").first.is_visible()
    viewer.page.emulate_media(media="print")
    assert viewer.page.locator(".strip img").first.is_visible()
    assert not viewer.page.locator(".theatre").is_visible()
    assert not viewer.page.get_by_text("Click a plane").is_visible()


def test_window_and_level_change_the_grey(viewer: Viewer) -> None:
    volume, point = saved_volume("case 1", 8), tuple(viewer.state["point"])
    viewer.page.evaluate(
        """() => { const set = (id, value) => { const input = document.getElementById(id); input.value = value;
        input.dispatchEvent(new Event("input", {bubbles: true})); }; set("window", 50); set("level", 50); }"""
    )
    assert (viewer.state["low"], viewer.state["high"]) == (-60, 140)
    raw = grey_of(volume) / 255 * 400 - 160
    wanted = expected_plane(np.clip((raw + 60) / 200 * 255, 0, 255), "axial", point)
    np.testing.assert_allclose(viewer.pixels("axial")[..., 0].astype(int), wanted, atol=1)
    viewer.press("0")
    assert (viewer.state["low"], viewer.state["high"]) == (-160, 240)


@pytest.mark.parametrize("width", [1280, 400])
def test_planes_share_one_scale_and_the_controls_are_near(open_page: OpenPage, width: int) -> None:
    page = open_page(contents(num_cases=5, num_volumes=1, systems=("one",)), width)
    viewer = Viewer(page)
    spacing, shape = (2.0, 2.0, 3.0), (40, 50, 30)
    axes = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}
    # All boxes are read in one frame: a table above that finds its width meanwhile would move them apart.
    boxes = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".pane, .stage, .controls")].map(
        (element) => [element.dataset.plane || element.classList[0], element.getBoundingClientRect().toJSON()]))"""
    )
    scales = []
    for plane, (across, down) in axes.items():
        box = boxes[plane]
        scales += [box["width"] / (shape[across] * spacing[across]), box["height"] / (shape[down] * spacing[down])]
    assert max(scales) - min(scales) < 0.02 * max(scales)
    stage, controls = boxes["stage"], boxes["controls"]
    gap = controls["x"] - stage["x"] - stage["width"] if width == 1280 else controls["y"] - stage["y"] - stage["height"]
    assert 0 <= gap <= 48
    assert stage["x"] + stage["width"] <= width
    page.click('[data-plane-choice="coronal"]')
    assert page.locator(".pane:visible").count() == 1
    assert viewer.state["single"] == "coronal"


def test_another_epsilon_of_the_case_stays_at_the_place(viewer: Viewer) -> None:
    viewer.press("ArrowUp", "ArrowUp")
    point = viewer.state["point"]
    viewer.press("n")
    viewer.page.wait_for_function(
        "() => JSON.parse(document.getElementById('viewer').dataset.drawn || '{}').index === 1"
    )
    assert viewer.state["point"] == point
    assert "16/255" in viewer.state["volume"]
    viewer.press("2")
    attacked = grey_of(saved_volume("case 1", 16)) + saved_volume("case 1", 16).perturbation[0] / 400 * 255
    wanted = expected_plane(attacked, "axial", tuple(point))
    np.testing.assert_allclose(viewer.pixels("axial")[..., 0].astype(int), wanted, atol=1.6)


def test_of_several_networks_the_one_that_is_shown_is_named(open_page: OpenPage) -> None:
    systems = ("standard training", "Free AT")
    volumes = tuple(saved_volume("case 1", 8, system) for system in systems)
    page = open_page(dataclasses.replace(contents(num_cases=5, systems=systems), volumes=volumes))
    viewer = Viewer(page)
    assert page.locator("optgroup").evaluate_all("groups => groups.map((group) => group.label)") == list(systems)
    assert page.inner_text("label[for=volume-choice]") == "Case, network standard training"
    viewer.press("n")
    page.get_by_text("Case, network Free AT").wait_for()
    captions = page.locator(".strip figcaption").all_text_contents()
    assert [caption.split(":")[0] for caption in captions] == list(systems)


def test_channels_can_be_chosen(open_page: OpenPage) -> None:
    one = saved_volume("case 1", 8)
    two = dataclasses.replace(
        one,
        image=np.concatenate([one.image, -one.image]),
        perturbation=np.concatenate([one.perturbation, -one.perturbation]),
        lower=(-160.0, -240.0),
        upper=(240.0, 160.0),
        channels=("T1", "T2"),
    )
    viewer = Viewer(open_page(dataclasses.replace(contents(num_cases=5, systems=("one",)), volumes=(two,))))
    viewer.page.select_option("#channel", "1")
    point = tuple(viewer.state["point"])
    wanted = expected_plane(255 - grey_of(one), "axial", point)
    np.testing.assert_allclose(viewer.pixels("axial")[..., 0].astype(int), wanted, atol=1)


def test_readout_names_value_move_and_labels(viewer: Viewer) -> None:
    volume, (x, y, z) = saved_volume("case 1", 8), viewer.state["point"]
    read: dict[str, Any] = {
        name: viewer.page.inner_text(f'[data-read="{name}"]')
        for name in ("clean", "moved", "target", "before", "after")
    }
    assert float(read["clean"].removesuffix(" HU")) == pytest.approx(float(volume.image[0, x, y, z]), abs=1)
    moved = float(read["moved"].replace("\N{MINUS SIGN}", "-").removesuffix(" HU"))
    assert moved == pytest.approx(float(volume.perturbation[0, x, y, z]), abs=0.1)
    classes = ("background", "liver", "tumour")
    labels = (volume.target, volume.clean, volume.attacked)
    assert [read["target"], read["before"], read["after"]] == [classes[label[x, y, z]] for label in labels]


def test_the_key_holds_dice_of_the_shown_case(viewer: Viewer) -> None:
    volume = saved_volume("case 1", 8)
    shown = [row.split() for row in viewer.page.locator(".classes tbody tr").all_inner_texts()]
    for index, row in enumerate(shown, 1):
        true = volume.target == index
        for text, labels in zip(row[1:], (volume.clean, volume.attacked), strict=True):
            found = labels == index
            assert float(text) == pytest.approx(2 * (true & found).sum() / (true.sum() + found.sum()), abs=0.006)


def test_values_of_the_sliders_stay_beside_them_in_long_units(open_page: OpenPage) -> None:
    volume = dataclasses.replace(saved_volume("case 1", 8), unit="network units")
    viewer = Viewer(open_page(dataclasses.replace(contents(num_cases=5, systems=("one",)), volumes=(volume,))))
    beyond = viewer.page.evaluate(
        "() => { const box = document.querySelector('.sliders'); return box.scrollWidth - box.clientWidth; }"
    )
    assert beyond <= 0


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_of_what_is_read_at_the_crosshair_is_cut_off(open_page: OpenPage, width: int) -> None:
    viewer = Viewer(open_page(contents(num_cases=5, num_volumes=1, systems=("one",)), width))
    hidden = viewer.page.evaluate(
        "() => { const key = document.querySelector('.key'); return key.scrollHeight - key.clientHeight; }"
    )
    assert hidden <= 1


def test_the_choice_of_the_channel_does_not_cover_its_name(open_page: OpenPage) -> None:
    volume = saved_volume("case 1", 8)
    two = dataclasses.replace(
        volume,
        image=np.repeat(volume.image, 2, axis=0),
        perturbation=np.repeat(volume.perturbation, 2, axis=0),
        lower=volume.lower * 2,
        upper=volume.upper * 2,
        channels=("T1", "T2"),
    )
    page = Viewer(open_page(dataclasses.replace(contents(num_cases=5, systems=("one",)), volumes=(two,)))).page
    gap = page.evaluate(
        """() => document.querySelector("#channel").getBoundingClientRect().top
        - document.querySelector(".channel-choice .line").getBoundingClientRect().bottom"""
    )
    assert gap >= 0
