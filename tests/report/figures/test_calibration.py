import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mitools.core.errors import InputError
from mitools.report.calibration import finding
from mitools.report.figures.calibration import calibration_chart
from mitools.report.figures.save import write_chart


def readings(method="infonce", kind="lower bound", **changes):
    truth = np.array([2.0, 4.0, 6.0])
    table = {
        "method": method, "kind": kind, "truth_bits": truth, "reading_bits": [1.9, 3.5, 4.0],
        "low_bits": [1.8, 3.4, 3.9], "high_bits": [2.1, 3.6, 4.1], "ceiling_bits": None, "null_bits": 0.01,
    }  # fmt: skip
    return pd.DataFrame(table | changes)


def grey(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


@pytest.mark.parametrize("methods", [1, 5])
def test_a_panel_a_method(tmp_path, methods):
    table = pd.concat([readings(f"method_{k}") for k in range(methods)])
    picture, drawing, _ = write_chart(
        tmp_path / "new" / "calibration.png", calibration_chart, table, "What was found."
    )
    text = drawing.read_text()
    assert all(f"method_{k}" in text for k in range(methods))
    for words in ("true mutual information (bits)", "reading (bits)", "reading = truth", "What was found."):
        assert words in text
    assert (grey(picture) < 128).mean() > 0.001


def test_kinds_differ_in_shape_and_not_in_colour_alone(tmp_path):
    kinds = ["lower bound", "asymptotic lower bound", "upper bound", "point estimate"]
    pictures = []
    for kind in kinds:
        # One name for all, so that the markers alone can differ beside the word in title and key.
        picture, drawing, _ = write_chart(
            tmp_path / kind.replace(" ", "_"), calibration_chart, readings("m", kind)
        )
        assert kind in drawing.read_text()
        pictures.append(grey(picture))
    panels = [picture[80:380, 80:380].astype(int) for picture in pictures]
    for k, panel in enumerate(panels):
        for other in panels[:k]:
            assert (np.abs(panel - other) > 60).sum() > 30


def test_a_ceiling_in_sight_is_drawn_and_one_far_above_is_named(tmp_path):
    _, near, _ = write_chart(tmp_path / "near", calibration_chart, readings(ceiling_bits=6.5))
    _, far, _ = write_chart(tmp_path / "far", calibration_chart, readings(ceiling_bits=33.2))
    _, none, _ = write_chart(tmp_path / "none", calibration_chart, readings())
    assert "ceiling 6.5<" in near.read_text()
    assert "ceiling 33.2, above this figure" in far.read_text()
    assert "ceiling" not in none.read_text()


def test_the_class_posterior_is_the_reference_of_the_others(tmp_path):
    both = pd.concat([readings("class_posterior"), readings("infonce")])
    assert (
        "class_posterior's lower bound"
        in write_chart(tmp_path / "both", calibration_chart, both)[1].read_text()
    )
    alone = write_chart(tmp_path / "alone", calibration_chart, readings("class_posterior"))[1].read_text()
    assert "class_posterior's lower bound" not in alone


def test_absent_limits_and_negative_readings_are_drawn(tmp_path):
    table = readings(reading_bits=[-9.0, 0.0, 3.0], low_bits=None, high_bits=None, null_bits=None)
    _, drawing, _ = write_chart(tmp_path / "calibration", calibration_chart, table)
    assert "permuted pairs" not in drawing.read_text()
    assert "\N{MINUS SIGN}8" in drawing.read_text() or "-8" in drawing.read_text()


def test_the_sentence_names_the_worst_reading():
    assert finding(readings()) == "InfoNCE (lower bound) is off by at most 2.00 bits: it reads 4.00 of 6."
    assert "4.00 of 6, 93% of its ceiling." in finding(readings(ceiling_bits=4.3))


def test_the_sentence_says_where_a_bound_is_none():
    above = readings(reading_bits=[2.5, 3.5, 6.5], low_bits=[2.2, 3.4, 5.9])
    assert finding(above).endswith(
        "At 2 bits its whole interval lies above the truth: it does not keep its promise there."
    )
    below = readings(kind="upper bound", high_bits=[2.1, 3.9, 5.9])
    assert "At 4 and 6 bits its whole interval lies below the truth" in finding(below)


def test_the_sentence_counts_the_intervals_that_hold_the_truth():
    assert finding(readings("ksg", "point estimate")).endswith(
        "Its interval holds the truth at 1 of 3 values."
    )
    bare = readings("ksg", "point estimate", low_bits=None, high_bits=None)
    assert finding(bare).endswith("it reads 4.00 of 6.")


def test_every_method_has_its_sentence_in_order():
    both = finding(pd.concat([readings("b"), readings("a")]))
    assert both.index("b (lower bound)") < both.index("a (lower bound)")


def test_the_same_table_makes_the_same_files(tmp_path):
    first, second = (write_chart(tmp_path / name, calibration_chart, readings(), "words") for name in "ab")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize(
    ("table", "words"), [(readings().drop(columns="null_bits"), "'null_bits'"), (readings()[:0], "no rows")]
)
def test_bad_tables_are_one_line_and_write_nothing(tmp_path, table, words):
    with pytest.raises(InputError, match=words) as error:
        write_chart(tmp_path / "calibration", calibration_chart, table)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
