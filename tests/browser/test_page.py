import dataclasses

import pytest

from rogseg.report.contents import ClassText
from tests.browser.conftest import OpenPage
from tests.browser.viewer_page import Viewer
from tests.unit.report.synthetic import contents

pytestmark = pytest.mark.check


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_text_is_large_enough_and_nothing_sticks_out(open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page(contents(num_cases=6, num_volumes=1), width, scheme)
    Viewer(page)
    smallest = page.evaluate(
        """() => {
            const found = [];
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            for (let node; (node = walker.nextNode()); ) {
                const element = node.parentElement;
                if (!node.textContent.trim() || !element.checkVisibility()) continue;
                if (element.closest("script, noscript, option, optgroup")) continue;
                const svg = element.ownerSVGElement;
                const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
                const size = parseFloat(getComputedStyle(element).fontSize) * scale;
                found.push([size, node.textContent.trim().slice(0, 40)]);
            }
            return found.sort((a, b) => a[0] - b[0])[0];
        }"""
    )
    assert smallest[0] >= 10, smallest
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_tables_that_scroll_on_a_screen_end_inside_a_printed_sheet(open_page: OpenPage) -> None:
    a4 = 718  # pixels between the margins of a sheet
    page = open_page(contents(num_cases=6, num_volumes=1), a4)
    page.emulate_media(media="print")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= a4


def test_contrast_of_text_in_both_schemes(open_page: OpenPage) -> None:
    for scheme in ("light", "dark"):
        page = open_page(contents(num_cases=6, num_volumes=1), 1280, scheme)
        worst = page.evaluate(
            """() => {
                const linear = (v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
                const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
                const numbers = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
                const ground = light(numbers(getComputedStyle(document.body).backgroundColor));
                let worst = [99, ""];
                const written = "p, td, th, dt, dd, li, h2, h3, a, figcaption, summary, small";
                for (const element of document.querySelectorAll(written)) {
                    if (!element.checkVisibility() || element.closest(".stage")) continue;
                    const own = light(numbers(getComputedStyle(element).color));
                    const ratio = (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
                    if (ratio < worst[0]) worst = [ratio, element.textContent.slice(0, 40)];
                }
                return worst;
            }"""
        )
        assert worst[0] >= 4.5, (scheme, worst)


def test_headings_sort_both_ways_with_nothing_last(open_page: OpenPage) -> None:
    made = contents(num_cases=12, systems=("one",), attacks=("apgd_ce",), epsilons=(8,), num_volumes=0)
    rows = []
    for row in made.rows:
        cases = list(row.cases)
        if row.condition.kind == "attack":
            cases[4] = dataclasses.replace(cases[4], values={"Dice": (None, None)})
        rows.append(dataclasses.replace(row, cases=tuple(cases)))
    page = open_page(dataclasses.replace(made, rows=tuple(rows)))
    table = page.locator("#cases-1")

    def column(index: int) -> list[str]:
        texts: list[str] = table.locator(f"tbody tr > :nth-child({index})").all_inner_texts()
        return texts

    table.locator("thead button").nth(0).click()
    assert column(1)[:3] == ["case 1", "case 2", "case 3"]
    assert column(1)[-1] == "case 12"
    table.locator("thead button").nth(0).click()
    assert column(1)[0] == "case 12"
    for descending in (False, True):
        table.locator("thead button", has_text="8/255").click()
        texts = column(5)
        assert texts[-1] == "\N{EN DASH}"
        values = [float(text) for text in texts[:-1]]
        assert values == sorted(values, reverse=descending)
    heading = table.locator("thead th", has_text="8/255")
    assert heading.get_attribute("aria-sort") == "descending"


def test_records_can_be_filtered(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=6, systems=("one",), num_volumes=0))
    page.click("summary:has-text('records')")
    assert page.inner_text(".filter output") == "78 of 78"
    page.fill("input[data-filters]", "case 3 square 8/255")
    visible = page.locator("#record-table tbody tr:visible")
    assert visible.count() == 1
    assert "case 3" in visible.inner_text()
    assert page.inner_text(".filter output").startswith("1 of")


def test_names_are_text_wherever_they_stand(open_page: OpenPage) -> None:
    name = '<1> & "co" </script><script>alert(1)</script>'
    made = contents(num_cases=5, systems=(name,), num_volumes=1)
    made = dataclasses.replace(made, title=name, classes=(ClassText(name), ClassText("tumour", "lesion")))
    page = open_page(made)
    Viewer(page)
    assert page.title() == name
    assert page.inner_text("h1") == name
    assert page.locator(".verdict .who").inner_text() == name
    assert page.locator(".classes tbody th").first.inner_text() == name
    assert page.locator("optgroup").first.get_attribute("label") == name


def test_curves_answer_the_mouse_the_keys_and_the_legend(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=6, systems=("one",), num_volumes=0))
    chart = page.locator(".curves svg.chart.wide").first
    point = chart.locator('.series[data-series="apgd_ce"] .point').last
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 + 3, box["y"] + box["height"] / 2)
    tip = page.locator(".tip")
    assert "16/255" in tip.inner_text()
    assert "6 cases" in tip.inner_text()
    assert chart.evaluate("(svg) => svg.classList.contains('focused')")
    page.mouse.move(2, 2)
    assert not tip.is_visible()
    chart.focus()
    page.keyboard.press("ArrowRight")
    assert "clean" in tip.inner_text()
    button = page.locator(".legend button", has_text="apgd_ce").first
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert not chart.locator('.series[data-series="apgd_ce"]').is_visible()


def test_every_control_has_a_name(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=6, num_volumes=1))
    Viewer(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, canvas[tabindex], [role=img], [role=region], a")]
            .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length || e.title))
            .map((e) => e.outerHTML.slice(0, 90))"""
    )
    assert nameless == []
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))


def test_every_number_leads_to_its_records_and_its_command(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=6, num_volumes=0))
    dead = page.evaluate(
        """() => [...document.querySelectorAll("a.number")].filter((a) => !document.getElementById(a.hash.slice(1)))
            .map((a) => a.outerHTML)"""
    )
    assert dead == []
    assert page.locator("a.number").count() > 50
    page.locator("#result-table a.number").first.click()
    target = page.locator(".origin:target")
    assert "python tools/attack.py" in target.inner_text()


def test_a_cut_table_says_so(open_page: OpenPage) -> None:
    narrow = open_page(contents(num_cases=6, num_volumes=0), 400)
    cutter = narrow.locator(".cutter", has=narrow.locator("#result-table"))
    assert "more" in cutter.get_attribute("class")
    assert cutter.locator(".hint").is_visible()
    cutter.locator(".scroller").evaluate("(box) => { box.scrollLeft = 9999; }")
    narrow.wait_for_function("() => !document.querySelector('.cutter:has(#result-table)').classList.contains('more')")


def test_without_scripts_numbers_curves_and_pictures_are_there(open_page: OpenPage) -> None:
    page = open_page(contents(num_cases=6, num_volumes=1), scripts=False)
    assert page.locator("#result-table tbody tr").count() > 10
    assert page.locator("svg.chart.wide").first.is_visible()
    assert page.locator(".strip img").first.is_visible()
