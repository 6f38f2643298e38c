"""The page of an audit as a document: it is well formed, asks for nothing, and no name breaks out of it."""

import json
import re
from collections import Counter
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from mitools.cli.main import run
from mitools.report.html.audit.results import results_section
from mitools.report.html.embedded import embedded_json
from mitools.report.html.parts import Column, Page, Section, Table
from mitools.report.html.render import SCRIPTS, STYLES, render
from tests.report.html.conftest import CLASSES, ENCODERS
from tests.report.html.document import Document


@pytest.fixture(scope="module")
def document(hostile_page):
    return Document(hostile_page.read_text(encoding="utf-8"))


def test_every_element_is_closed_and_every_name_is_unique(document):
    assert document.left_open == []
    counts = Counter(attributes["id"] for _, attributes, _ in document.elements if "id" in attributes)
    assert max(counts.values()) == 1
    for _, attributes, _ in document.elements:
        for name in ("aria-describedby", "aria-labelledby"):
            assert set(attributes.get(name, "").split()) <= counts.keys()


def test_headers_pictures_and_buttons_say_what_they_are(document):
    assert all(attributes.get("scope") in ("col", "row") for _, attributes, _ in document.named("th"))
    assert all(attributes.get("alt") for _, attributes, _ in document.named("img"))
    assert all(attributes.get("type") == "button" for _, attributes, _ in document.named("button"))
    sortable = [attributes for _, attributes, _ in document.named("th") if "aria-sort" in attributes]
    assert len(sortable) > 10
    assert document.named("html")[0][1]["lang"] == "en"
    assert len(document.named("h1")) == len(document.named("main")) == 1


def test_nothing_is_asked_for_from_anywhere(hostile_page, document):
    for _, attributes, _ in document.elements:
        for name in ("src", "href", "action", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:")), (name, attributes[name])
    assert not document.named("link", "iframe", "object", "base", "form")
    style = "".join("".join(texts) for _, _, texts in document.named("style"))
    assert "url(" not in style.replace("url(#", "")
    assert "@import" not in style
    policy = next(a["content"] for _, a, _ in document.named("meta") if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert hostile_page.stat().st_size < 3_000_000


def test_no_name_breaks_out_of_the_page(document):
    assert [attributes.get("type") for _, attributes, _ in document.named("script")] == [
        "application/json",
        None,
    ]
    assert not any(
        attributes.keys() & {"onerror", "onclick", "onload"} for _, attributes, _ in document.elements
    )
    text = document.text()
    for name in ENCODERS:
        assert name in text
    data = document.data()
    assert data["charts"]["confusion"]["classes"] == sorted(CLASSES)
    keys = data["tables"]["results"]["keys"]
    assert [row[keys.index("encoder")] for row in data["tables"]["results"]["rows"]] == ENCODERS
    assert data["tables"]["comparisons"]["rows"][-1][:2] == ENCODERS[2:]  # read back from the CSV unchanged


def test_the_data_of_a_script_cannot_end_it():
    text = "</script><!--<script>\u2028&"
    page = Page("audit", "", [], [], [Section("a", "a", [Table("t", pd.DataFrame({"x": [text]}))])])
    embedded = embedded_json(page)
    assert not set("<>&\u2028") & set(embedded)
    assert json.loads(embedded)["tables"]["t"]["rows"] == [[text]]


def test_absent_and_infinite_numbers_are_null():
    frame = pd.DataFrame({"x": [1.0, np.nan, np.inf], "y": [True, None, "a"]})
    page = Page("audit", "", [], [], [Section("a", "a", [Table("t", frame)])])
    assert json.loads(embedded_json(page))["tables"]["t"]["rows"] == [[1.0, True], [None, None], [None, "a"]]


def test_cells_show_what_the_audit_found(hostile_audit, document):
    text = document.text()
    for row in hostile_audit.table.to_dict("records"):
        assert f"{row['i_class_bits']:.3f}" in text
        assert f"{row['i_class_low']:.3f} to {row['i_class_high']:.3f}" in text
        assert f"{row['linear_acc']:.1%}" in text


def test_the_confusion_holds_the_accuracy_and_the_bits(hostile_audit, document):
    tables = document.data()["tables"]
    for (name, counts, bits), row in zip(
        tables["classes"]["rows"], hostile_audit.table.to_dict("records"), strict=True
    ):
        matrix = np.array(json.loads(counts))
        assert name == row["encoder"]
        assert matrix.sum() == row["n"]
        assert np.trace(matrix) / matrix.sum() == pytest.approx(row["linear_acc"], abs=1e-9)
        # The mean of the items' bits is the label information, the classes weighing as they do.
        mean = np.array(json.loads(bits)) @ matrix.sum(axis=1) / matrix.sum()
        assert mean == pytest.approx(row["label_information_bits"], abs=2e-3)


def test_few_encoders_have_no_interval_and_a_caution(document):
    table = document.data()["tables"]["correlation"]
    limits = [k for k, key in enumerate(table["keys"]) if key.endswith(("_low", "_high"))]
    assert limits
    assert all(row[k] is None for row in table["rows"] for k in limits)
    assert "too few for an interval of a correlation" in document.text()


def test_every_file_of_the_page_is_used_and_is_there():
    room = files("mitools.report.html")
    assets = {path.name for path in room.joinpath("assets").iterdir() if path.name.endswith((".js", ".css"))}
    assert assets == {*SCRIPTS, *STYLES}
    assert room.joinpath("templates", "page.html").is_file()


def test_a_table_is_read_without_scripts():
    table = Table(
        "t", pd.DataFrame({"a": ["x"], "b": [-0.0001]}), [Column("a", "A"), Column("b", "B", digits=3)]
    )
    text = render(Page("audit", "Title", ["Found."], [], [Section("s", "S", [table])]))
    assert re.search(r'<td class="number"[^>]*>0\.000</td>', text)
    assert '<th scope="row" data-sort="x">x</th>' in text


def test_the_command_ends_with_the_page_unless_it_is_left_out(image_tar, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["audit", "--data", f"tar:{image_tar}", "--encoder", "builtin:pixels", "--no-critic"]
    assert run([*arguments, "--out", str(out)]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == f"report: {out / 'report.html'}"
    document = Document((out / "report.html").read_text(encoding="utf-8"))
    text = document.text()
    assert "mitools audit --data" in text  # the command to copy
    assert len([a for _, a, _ in document.named("img") if a["src"].startswith("data:image/jpeg")]) > 5
    assert run([*arguments, "--out", str(out), "--no-html"]) == 0
    assert "report.html" not in capsys.readouterr().err
    assert not (out / "report.html").exists()  # a page of earlier rows would stay behind


def test_a_large_audit_stays_below_three_megabytes(hostile_audit):
    few = hostile_audit.table
    many = pd.concat([few.assign(encoder=few["encoder"] + str(k), network=few["network"] + str(k))
                      for k in range(250)], ignore_index=True)  # fmt: skip
    page = Page("audit", "", [], [], [results_section(many, {})])
    text = render(page)
    assert len(text.encode()) < 2_000_000
    assert "600 further rows are not in this page" in text
