"""The page of an audit in a real browser: what its script does, in both themes, wide and narrow."""

import json

import pytest

from mitools.report.html.render import environment
from tests.report.html.chromium import EXECUTABLE, browser
from tests.report.html.conftest import ENCODERS

pytestmark = pytest.mark.skipif(EXECUTABLE is None, reason="there is no chromium; apt-get install chromium")


@pytest.fixture(scope="module")
def tab():
    with browser() as opened:
        yield opened


@pytest.fixture
def page(tab, hostile_page):
    tab.open(hostile_page)
    return tab


ROWS = '[...document.querySelectorAll("[data-table=results] tbody tr")]'


@pytest.mark.parametrize(("width", "theme"), [(1400, "light"), (400, "dark")])
def test_the_page_is_drawn_without_complaint_or_request(tab, hostile_page, width, theme):
    tab.open(hostile_page, width, theme=theme)
    assert tab.requests == [hostile_page.as_uri()]
    assert tab.complaints == []
    assert tab.evaluate("document.documentElement.scrollWidth") == width  # nothing sticks out at the side
    ends = tab.evaluate("[...document.querySelectorAll('nav a')].map(a => a.getBoundingClientRect().right)")
    assert max(ends) <= width
    drawn = tab.evaluate("[...document.querySelectorAll('.drawing')].map(box => box.clientHeight)")
    assert len(drawn) >= 4
    assert min(drawn) > 100
    assert tab.evaluate("document.querySelectorAll('[data-chart=brackets] .mark').length") == len(ENCODERS)
    assert tab.evaluate("document.querySelectorAll('svg text').length > 20")


@pytest.mark.parametrize(("width", "columns"), [(400, 1), (1400, 5)])
def test_long_names_under_an_item_are_folded_where_their_parts_end(tab, hostile_page, width, columns):
    rows = [
        {"encoder": name, "predicted": "n02123045_tabby_cat", "right": False, "bits": "-11.27"}
        for name in ("vit_base_patch16_224.augreg2_in21k_ft_in1k", "moco_v2_800ep", 60 * "x")
    ]
    one = {"item": "1", "jpeg": "", "text": "", "label": "n02123045_tabby_cat", "rows": rows}
    values = {"title": "", "intro": "", "examples": [one | {"jpeg": "x"}] * 5}
    html = environment().get_template("examples.html").render(piece={"values": values})
    tab.open(hostile_page, width)
    tab.evaluate(f"document.querySelector('main').insertAdjacentHTML('beforeend', {json.dumps(html)})")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    own = "[...[...document.querySelectorAll('.examples')].at(-1).querySelectorAll('.example')]"
    assert len(set(tab.evaluate(f"{own}.map(one => one.getBoundingClientRect().x)"))) == columns
    # Each part of a name stands on one line: a range over it has one rectangle of some width.
    parts = f"{own}[0].querySelectorAll('tr:not(:last-child) :is(th, td:not(.number))')"
    lines = tab.evaluate(
        f"[...{parts}].flatMap(cell => [...cell.childNodes].filter(node => node.nodeType === 3).map(text =>"
        " { const range = document.createRange(); range.selectNode(text);"
        " return [text.data, [...range.getClientRects()].filter(box => box.width).length] }))"
    )
    assert len(lines) > 10
    assert [part for part, count in lines if count != 1] == []


def test_a_printed_chart_says_what_was_chosen_and_no_button_is_printed(page):
    page.call("Emulation.setEmulatedMedia", media="print")
    shown = "[...document.querySelectorAll('{}')].filter(one => one.offsetHeight > 0).length"
    assert page.evaluate(shown.format(".controls select")) >= 2
    assert page.evaluate(shown.format("button:not(.linked, thead button)")) == 0
    assert page.evaluate(shown.format("#downloads")) == 0
    page.call("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_switch_is_stronger_than_the_system(tab, hostile_page, system):
    tab.open(hostile_page, theme=system)
    ground = "getComputedStyle(document.body).backgroundColor"
    press = "document.querySelector('input[name=theme][value={}]').click()"
    own = tab.evaluate(ground)
    tab.evaluate(press.format("dark"))
    dark = tab.evaluate(ground)
    tab.evaluate(press.format("light"))
    light = tab.evaluate(ground)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 23, 26)")
    assert own == {"light": light, "dark": dark}[system]
    tab.evaluate(press.format("auto"))
    assert tab.evaluate(ground) == own


def test_a_header_sorts_the_rows(page):
    headers = '[...document.querySelectorAll("[data-table=results] thead th")]'
    header = f"{headers}.find(th => th.innerText.includes('I_class'))"
    values = f"{ROWS}.map(row => Number(row.cells[{headers}.indexOf({header})].dataset.sort))"
    found = page.evaluate(values)
    page.evaluate(f"{header}.querySelector('button').click()")
    assert page.evaluate(values) == sorted(found, reverse=True)
    assert page.evaluate(f"{header}.getAttribute('aria-sort')") == "descending"
    page.evaluate(f"{header}.querySelector('button').click()")
    assert page.evaluate(values) == sorted(found)
    assert (
        page.evaluate("document.querySelectorAll('[data-table=results] [aria-sort=ascending]').length") == 1
    )


def test_searching_hides_the_other_rows(page):
    page.evaluate(
        "(() => { const box = document.querySelector('[data-table=results] input[type=search]');"
        " box.value = 'GOOD|'; box.dispatchEvent(new Event('input')) })()"
    )
    assert page.evaluate(f"{ROWS}.filter(row => !row.hidden).map(row => row.dataset.link)") == ["good|er"]


def test_a_column_is_shown_when_it_is_asked_for(page):
    box = '[...document.querySelectorAll("[data-table=results] [data-column]")].find(c => !c.checked)'
    place = page.evaluate(f"Number({box}.dataset.column)")
    cell = f"{ROWS}[0].cells[{place}]"
    assert page.evaluate(f"{cell}.hidden") is True
    page.evaluate(f"{box}.click()")
    assert page.evaluate(f"{cell}.hidden") is False
    assert page.evaluate(f"{cell}.offsetWidth > 0") is True


def test_one_click_marks_an_encoder_everywhere(page):
    name = json.dumps(ENCODERS[0])
    chosen = f'[...document.querySelectorAll(".chosen")].filter(e => e.dataset.link === {name})'
    page.evaluate(f"{ROWS}.find(row => row.dataset.link === {name}).querySelector('.linked').click()")
    kinds = page.evaluate(f"[...new Set({chosen}.map(e => e.tagName))].sort()")
    assert {"g", "TR"} <= set(kinds)  # marks of charts, and rows of tables
    assert page.evaluate(f"{chosen}.filter(e => e.closest('[data-chart=brackets]')).length") == 1
    page.evaluate(f"{ROWS}.find(row => row.dataset.link === {name}).querySelector('.linked').click()")
    assert page.evaluate("document.querySelectorAll('.chosen').length") == 0


def test_a_mark_is_reached_and_chosen_by_keyboard_and_says_its_numbers(page):
    mark = "document.querySelector('[data-chart=brackets] .mark')"
    page.evaluate(f"{mark}.focus()")
    said = page.evaluate(
        "document.getElementById('tooltip').hidden || document.getElementById('tooltip').textContent"
    )
    assert "interval" in said
    assert "n = 240" in said
    page.press("Enter")
    assert page.evaluate(f"{mark}.getAttribute('aria-pressed')") == "true"
    page.press("Escape")
    assert page.evaluate("document.getElementById('tooltip').hidden") is True


def test_a_choice_draws_the_chart_anew(page):
    drawn = "document.querySelector('[data-chart=scatter] svg').textContent"
    before = page.evaluate(drawn)
    page.evaluate(
        "(() => { const select = [...document.querySelectorAll('[data-chart=scatter] select')].at(-1);"
        " select.selectedIndex += 1; select.dispatchEvent(new Event('change')) })()"
    )
    assert page.evaluate(drawn) != before
    assert page.complaints == []


def test_tables_are_copied_for_other_programs(page):
    table = 'document.querySelector("[data-table=results]")'
    form = "FORMS.{}(seen({}, {}))"
    csv = page.evaluate(form.format("csv", table, "true")).splitlines()
    assert csv[0].startswith("encoder,")
    assert "i_class_low" in csv[0]
    assert csv[3].startswith("'=noise,")  # no spreadsheet runs it
    markdown = page.evaluate(form.format("markdown", table, "false")).splitlines()
    assert len({line.replace("\\|", "").count("|") for line in markdown}) == 1
    latex = page.evaluate(form.format("latex", table, "false"))
    assert latex.count("\\\\\n") == 1 + len(ENCODERS)
    assert "83.4%" not in latex
    assert latex.count("\\%") >= len(ENCODERS)


def test_it_prints_on_paper_with_everything_unfolded(page):
    assert len(page.call("Page.printToPDF", printBackground=True)["data"]) > 20_000
    assert page.complaints == []
