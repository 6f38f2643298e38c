"""The pages of studies, planes, calibrations, views and analyses, from the documents that they leave."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mitools.report.html.analysis_page import analysis_page
from mitools.report.html.calibration_page import calibration_page
from mitools.report.html.cells import shown_cell
from mitools.report.html.columns import describe
from mitools.report.html.plane_page import plane_page
from mitools.report.html.render import render
from mitools.report.html.study_page import study_page
from mitools.report.html.views_page import views_page
from tests.report.html.document import Document

KEPT = Path(__file__).parents[3] / "analyses" / "results"


def parsed(page):
    text = render(page)
    assert len(text.encode()) < 3_000_000
    document = Document(text)
    assert document.left_open == []
    return document


def cell(data, encoder, seed, value, entropy, pairing="same_class", measure="class_posterior"):
    read = measure == "class_posterior"
    return {
        "data": data, "encoder": encoder, "family": "", "pairing": pairing, "measure": measure, "seed": seed,
        "state": "done", "value": value, "unit": "bits" if read else "", "low": value - 0.2 if read else None,
        "high": value + 0.2 if read else None, "kind": "lower bound" if read else "", "ceiling": None,
        "entropy": entropy if read else None, "null": None, "n_train": 80, "n_select": 20, "n_report": 100,
        "seconds": 1.0, "warnings": "", "error": "",
    }  # fmt: skip


@pytest.fixture
def study(tmp_path):
    """Four encoders on two data sets of another number of classes, two seeds each."""
    rows = []
    for data, entropy in (("digits", 3.0), ("photos", 5.0)):
        for place, encoder in enumerate(("a", "b", "c", "=d")):
            for seed in (0, 1):
                bits = 0.5 * (place + 1) + 0.1 * seed
                rows.append(cell(data, encoder, seed, bits, entropy))
                rows.append(cell(data, encoder, seed, 0.5 + 0.1 * place, entropy, "", "linear_acc"))
    rows.append(
        cell("photos", "e", 0, 0.0, 5.0) | {"state": "failed", "value": None, "error": "no <such> file"}
    )
    pd.DataFrame(rows).to_csv(tmp_path / "cells.csv", index=False)
    return tmp_path


def test_a_study_shows_means_over_seeds_and_each_data_set_by_itself(study):
    document = parsed(study_page(study))
    data, text = document.data(), document.text()
    results = data["tables"]["results"]
    rows = [dict(zip(results["keys"], row, strict=True)) for row in results["rows"]]
    assert len(rows) == 8
    first = rows[0]
    # Seeds read 0.5 and 0.6: their mean, from the lowest limit to the highest.
    assert first["same_class:class_posterior"] == pytest.approx(0.55)
    assert first["same_class:class_posterior_low"] == pytest.approx(0.3)
    assert first["same_class:class_posterior_high"] == pytest.approx(0.8)
    assert [one["entropy"] for one in rows] == [3.0] * 4 + [5.0] * 4 or {one["entropy"] for one in rows} == {
        3.0,
        5.0,
    }
    assert "3.000 bits (digits), 5.000 bits (photos)" in text
    correlation = data["tables"]["correlation"]
    kept = [dict(zip(correlation["keys"], row, strict=True)) for row in correlation["rows"]]
    assert [one["data"] for one in kept] == ["digits", "photos"]
    assert all(one["n"] == 4 and one["pearson"] == pytest.approx(1, abs=1e-6) for one in kept)
    assert all(one["pearson_low"] is None for one in kept)  # four encoders are too few for an interval
    assert "no <such> file" in text


def test_a_plane_pairs_its_readings_by_checkpoint(tmp_path):
    rows = [
        {"encoder": "r", "epoch": epoch, "stage": "", "layer": layer, "depth": depth, "data": "digits",
         "role": "source", "quantity": quantity, "method": method, "kind": "lower bound",
         "bits": base + epoch + depth, "low_bits": base + epoch + depth - 0.1,
         "high_bits": base + epoch + depth + 0.1, "null_bits": 0.0, "ceiling_bits": None, "entropy_bits": 3.3,
         "n": 100, "n_train": 80, "dim": 4, "measures": "", "seconds": 1.0, "warnings": ""}
        for epoch in (0, 1, 2)
        for depth, layer in enumerate(("conv", "fc"))
        for quantity, method, base in (("I(X;T)", "infonce", 1.0), ("I(T;Y)", "label_information", 10.0))
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "plane.csv", index=False)
    document = parsed(plane_page(tmp_path))
    table = document.data()["tables"]["trajectories"]
    points = pd.DataFrame(table["rows"], columns=table["keys"])
    assert len(points) == 6
    assert np.allclose(points["bits_y"] - points["bits_x"], 9.0)
    assert "Information plane of 2 layers at 3 checkpoints" in document.text()
    assert "says nothing of the layer" not in document.text()
    rows[0]["warnings"] = "saturated"
    pd.DataFrame(rows).to_csv(tmp_path / "plane.csv", index=False)
    said = parsed(plane_page(tmp_path)).text()
    assert "1 of 6 points by InfoNCE and label information lie at a ceiling" in said


def test_a_calibration_shows_its_finding_and_every_reading():
    document = parsed(calibration_page(KEPT / "bert_calibration"))
    table = pd.read_csv(KEPT / "bert_calibration" / "calibration.csv")
    text = document.text()
    assert all(f"{value:.3f}" in text for value in table["reading_bits"])
    assert "class posterior (lower bound) is off by at most" in text
    assert len(calibration_page(KEPT / "bert_calibration").findings) == table["method"].nunique()
    assert "class_posterior" not in text
    assert "indistinguishable_from_zero" not in text
    assert document.data()["charts"]["calibration-chart"]["identity"] is True


def test_views_show_a_sentence_a_pair_and_every_reading():
    document = parsed(views_page(KEPT / "views_cifar10"))
    pairs = pd.read_csv(KEPT / "views_cifar10" / "views.csv")
    readings = pd.read_csv(KEPT / "views_cifar10" / "readings.csv")
    text = document.text()
    assert all(sentence in text for sentence in pairs["sentence"])
    assert "label_information" not in text
    assert "still_rising" not in text
    assert len(document.data()["tables"]["readings"]["rows"]) == len(readings)


def test_views_show_what_is_not_excluded_where_the_tables_have_it(tmp_path):
    for name in ("views.csv", "readings.csv"):
        table = pd.read_csv(KEPT / "views_cifar10" / name)
        for low in [column for column in table if column.startswith("low") or column.endswith("_low")]:
            up_to = low.replace("low_bits", "up_to_bits").replace("_low", "_up_to")
            table[up_to] = np.where(table.index == 0, np.nan, table[low] + 0.5)
        table.to_csv(tmp_path / name, index=False)
    shutil.copy(KEPT / "views_cifar10" / "reading.txt", tmp_path)
    document = parsed(views_page(tmp_path))
    chart = document.data()["charts"]["regimes"]
    assert [one["high"] for one in chart["x"]] == ["shared_up_to", "shared_high"]
    assert chart["y"][chart["y_start"]]["high"] == "view1_up_to"
    assert document.data()["charts"]["readings-chart"]["y"][0]["high"] == "up_to_bits"
    assert "not excluded up to" in document.text()


@pytest.mark.parametrize("name", ["layers", "ablations", "negatives"])
def test_the_picture_of_an_analysis_is_what_a_reader_sees_first(name):
    folder = KEPT / f"{name}_smoke"
    html = render(analysis_page(folder, name, "what?", sorted(folder.iterdir())))
    picture, finding, facts = (html.index(mark) for mark in ("<img", 'class="findings"', 'class="facts"'))
    assert picture < facts
    assert finding < facts
    long = "<ul>" in html[finding:facts]
    assert long == (picture < finding)
    assert long == (name != "negatives")


def test_numbers_that_three_decimals_would_make_nothing_keep_their_digits():
    frame = pd.DataFrame({"rate": [0.0003, 0.0006], "loss": [0.25, 0.0004], "x_p": [0.5, 0.00004]})
    columns = {one.key: one for one in describe(frame, frame.columns, "rate")}
    row = frame.iloc[1].to_dict()
    assert shown_cell(row, columns["rate"]) == "0.0006"
    assert shown_cell(row, columns["loss"]) == "0.000"
    assert shown_cell(row, columns["x_p"]) == "4e-05"


def test_an_analysis_carries_its_words_its_figure_and_its_table(tmp_path):
    for path in (KEPT / "batch_size_smoke").iterdir():
        shutil.copy(path, tmp_path)
    files = sorted(tmp_path.iterdir())
    document = parsed(
        analysis_page(tmp_path, "batch_size", "does a small batch limit what is learnt?", files)
    )
    assert (
        document.text().count("Does a small batch limit what is learnt?") == 2
    )  # the title, and the heading
    assert (tmp_path / "reading.txt").read_text().split(".")[0] in document.text()
    (picture,) = document.named("img")
    assert picture[1]["src"].startswith("data:image/png;base64,")
    assert len(document.data()["tables"]["results"]["rows"]) == len(pd.read_csv(tmp_path / "results.csv"))


@pytest.mark.parametrize(("rows", "long"), [(30, False), (31, True)])
def test_a_long_table_scrolls_in_its_own_box(tmp_path, rows, long):
    pd.DataFrame({"seed": range(rows), "bits": 1.5}).to_csv(tmp_path / "results.csv", index=False)
    document = parsed(analysis_page(tmp_path, "batch_size", "is it long?", []))
    scrolled = next(one for _, one, _ in document.named("div") if "scroll" in (one.get("class") or ""))
    assert scrolled["class"] == ("scroll long" if long else "scroll")
