"""Where charts are drawn: on a caller's axes, on a new figure that shows all, on one that is saved."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.core.errors import InputError
from mitools.report.audit import AUDIT_FIGURES, accuracy_scatter
from mitools.report.figures.brackets import bracket_chart
from mitools.report.figures.calibration import calibration_chart
from mitools.report.figures.panels import fold, open_panels
from mitools.report.figures.plane_curves import epochs_chart
from mitools.report.figures.plane_trajectories import plane_chart
from mitools.report.figures.scatter import scatter_against_target


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    pyplot.close("all")


def audit_table(encoders=4, layers=2):
    rng = np.random.default_rng(0)
    rows = [
        {
            "encoder": f"net{e}@layer{k}",
            "network": f"net{e}",
            "layer": f"layer{k}",
            "depth": k,
            "h_c_bits": 3.32,
        }
        for e in range(encoders)
        for k in range(layers)
    ]
    table = pd.DataFrame(rows)
    table["i_class_bits"] = rng.uniform(1, 3, len(table))
    table["i_class_low"], table["i_class_high"] = table.i_class_bits - 0.1, table.i_class_bits + 0.1
    table["i_class_identified"] = False
    table["alignment"] = rng.uniform(0.2, 1.0, len(table))
    table["linear_acc"] = rng.uniform(0.5, 0.9, len(table))
    return table


def calibration_table():
    rows = {
        "truth_bits": [2.0, 4.0],
        "reading_bits": [1.9, 3.5],
        "low_bits": [1.8, 3.4],
        "high_bits": [2, 3.6],
    }
    both = [{"method": name, "kind": "lower bound", "ceiling_bits": 6.0, "null_bits": 0.0} for name in "ab"]
    return pd.concat([pd.DataFrame(rows | one) for one in both])


def plane_table():
    rows = [
        {
            "encoder": f"run@{epoch}", "epoch": epoch, "layer": layer, "depth": depth, "stage": None,
            "data": "source", "quantity": quantity, "method": "ksg", "kind": "point estimate",
            "bits": 1 + depth + 0.1 * epoch, "low_bits": 0.9 + depth, "high_bits": 2.0 + depth, "n": 100,
            "ceiling_bits": None, "entropy_bits": 3.0, "measures": "What I(X;T) measures.", "warnings": "",
            "role": "target",
        }
        for quantity in ("I(X;T)", "I(T;Y)")
        for depth, layer in enumerate(["first", "second"])
        for epoch in (0, 1, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


CHARTS = {
    "brackets": (1, lambda **place: AUDIT_FIGURES["brackets"](audit_table(), **place)),
    "scatter": (2, lambda **place: AUDIT_FIGURES["scatter"](audit_table(), **place)),
    "many names": (2, lambda **place: AUDIT_FIGURES["scatter"](audit_table(25, 1), **place)),
    "depth": (2, lambda **place: AUDIT_FIGURES["depth"](audit_table(2, 3), **place)),
    "calibration": (2, lambda **place: calibration_chart(calibration_table(), "In words.", **place)),
    "plane": (1, lambda **place: plane_chart(plane_table(), "ksg", "ksg", **place)),
    "epochs": (2, lambda **place: epochs_chart(plane_table(), **place)),
}


def state(figure):
    """What belongs to the owner of a figure."""
    return (
        tuple(figure.get_size_inches()), figure.dpi, figure.get_layout_engine(), figure.canvas,
        figure.get_facecolor(), len(figure.texts), len(figure.legends),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "layout"), [*((name, "constrained") for name in CHARTS), ("scatter", None), ("plane", None)]
)
def test_on_given_axes_the_figure_around_them_stays_as_it_is(name, layout):
    count, chart = CHARTS[name]
    figure, grid = pyplot.subplots(1, count + 1, figsize=(12, 4), layout=layout)
    grid[0].plot([0, 1])
    before, settings = state(figure), dict(matplotlib.rcParams)
    drawn = np.atleast_1d(np.asarray(chart(ax=grid[1:]), dtype=object)).ravel()
    assert list(drawn) == list(grid[1:])
    assert all(axes.has_data() for axes in drawn)
    assert state(figure) == before
    assert dict(matplotlib.rcParams) == settings
    assert pyplot.fignum_exists(figure.number)
    figure.draw_without_rendering()


def test_one_axes_will_do_where_there_is_one_panel():
    _, axes = pyplot.subplots()
    assert bracket_chart(audit_table(), axes) is axes
    assert list(scatter_against_target(audit_table(), ["alignment"], "linear_acc", ax=axes)) == [axes]


@pytest.mark.parametrize("name", CHARTS)
def test_a_new_figure_shows_all_that_is_drawn(name):
    """Names, notes, legends and captions lie inside the figure, as in a window."""
    count, chart = CHARTS[name]
    drawn = np.atleast_1d(np.asarray(chart(), dtype=object)).ravel()
    assert len(drawn) == count
    (axes, *_) = drawn
    assert isinstance(axes, Axes)
    assert pyplot.fignum_exists(axes.figure.number)
    axes.figure.draw_without_rendering()
    extent, (width, height) = axes.figure.get_tightbbox(), axes.figure.get_size_inches()
    slack = 0.15  # inches
    assert extent.x0 > -slack
    assert extent.y0 > -slack
    assert extent.x1 < width + slack
    assert extent.y1 < height + slack


def test_captions_and_keys_are_there_wherever_a_chart_is_drawn():
    for place in ({"figure": Figure()}, {}, {"ax": pyplot.subplots(1, 2, layout="constrained")[1]}):
        axes = CHARTS["calibration"][1](**place)[0]
        figure = axes.figure
        texts = [text.get_text() for text in [*figure.texts, *axes.texts]]
        texts += [figure.get_supxlabel()]
        assert "In words." in texts
        legends = [*figure.legends, *filter(None, [axes.get_legend()])]
        labels = [text.get_text() for legend in legends for text in legend.get_texts()]
        assert "reading = truth" in labels


def test_every_encoder_is_drawn_once_with_its_last_layer():
    first, second = accuracy_scatter(audit_table(4, 3), figure=Figure())
    assert [len(axes.get_lines()[0].get_xdata()) for axes in (first, second)] == [4, 4]
    assert {text.get_text() for text in first.texts} == {f"net{e}@layer2" for e in range(4)}


def test_names_do_not_move_the_axes():
    figure, grid = pyplot.subplots(1, 2, figsize=(7, 3), layout="constrained")
    scatter_against_target(audit_table(), ["i_class_bits", "alignment"], "linear_acc", ax=grid)
    places = [axes.get_position().bounds for axes in grid]
    figure.draw_without_rendering()
    for axes, place in zip(grid, places, strict=True):
        assert axes.get_position().bounds == pytest.approx(place, abs=1e-6)


def test_too_few_axes_are_one_line_that_says_how_many_are_needed():
    _, axes = pyplot.subplots()
    with pytest.raises(
        InputError, match=r"2 panels \(i_class_bits, alignment\) and was given 1 axes"
    ) as error:
        AUDIT_FIGURES["scatter"](audit_table(), ax=axes)
    assert "plt.subplots(1, 2)" in str(error.value)
    assert "\n" not in str(error.value)


def test_axes_and_a_figure_exclude_each_other():
    figure = Figure()
    with pytest.raises(InputError, match="not both"):
        open_panels(figure.subplots(), figure, ["one"], (3, 3))


def test_every_line_is_folded():
    assert fold("one two\nthree", 5) == "one\ntwo\nthree"
