"""The chart of the three regimes: bands, bars, and arrows where no upper end is told."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from mitools.report.figures.regimes import MARKER_POINTS, REGIME_MARKS, regimes_chart


@pytest.fixture
def table():
    """Two pairs of views: what is not excluded of the first ends, and of the second it does not."""
    values = {
        "views": ["weak", "strong"],
        "option": [None, None],
        "value": [None, None],
        "same_label_low": 0.9,
        "regime": ["excess", "missing information and excess"],
    }
    read = {"shared": [3.0, 6.0], "view1": [0.8, 0.9], "view2": [0.7, 1.0], "image": [1.0, 1.0]}
    for name, bits in read.items():
        middle = np.array(bits)
        limits = {"bits": middle, "low": middle - 0.05, "high": middle + 0.05, "up_to": middle + 0.4}
        values |= {f"{name}_{end}": limit for end, limit in limits.items()}
    return pd.DataFrame(values | {"shared_up_to": [3.4, None]})


def test_bars_reach_to_what_is_not_excluded_or_to_an_arrow_at_the_edge(table):
    axes = regimes_chart(table)
    level, upright = (lines.get_segments() for lines in axes.collections[-2:])
    edge = axes.get_xlim()[1]
    assert [segment[:, 0].tolist() for segment in level] == [
        pytest.approx([3.05, 3.4]),
        pytest.approx([6.05, edge]),
    ]
    # The weaker view of either pair is shown.
    assert [segment[:, 1].tolist() for segment in upright] == [
        pytest.approx([0.75, 1.1]),
        pytest.approx([0.95, 1.3]),
    ]
    (arrows,) = [line for line in axes.lines if line.get_marker() == ">"]
    assert (arrows.get_xdata().tolist(), arrows.get_ydata().tolist()) == ([edge], [0.9])


def test_excess_begins_where_the_image_may_say_no_more(table):
    axes = regimes_chart(table)
    _, excess = (patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches)
    assert excess.x0 == pytest.approx(1.4)


def test_points_are_marked_by_their_regime_wherever_they_lie(table):
    """Views that share what lies in the band may miss label information: the words say so, and the mark."""
    table = pd.concat([table, table.iloc[:1].assign(views="band", shared_bits=1.1, shared_up_to=1.2)])
    table["regime"] = ["missing information and excess", "excess", "missing information"]
    axes = regimes_chart(table)
    drawn = {
        (x, line.get_marker(), to_hex(line.get_color()))
        for line in axes.lines
        for x in line.get_xdata()
        if x in (3.0, 6.0, 1.1) and line.get_marker() in {marker for marker, _ in REGIME_MARKS.values()}
    }
    expected = zip(table["shared_bits"], table["regime"], strict=True)
    assert drawn == {(bits, REGIME_MARKS[name][0], to_hex(REGIME_MARKS[name][1])) for bits, name in expected}
    (key,) = axes.figure.legends
    # Those alone that are seen, in one order.
    words = ["missing information", "excess", "missing information and excess"]
    assert [text.get_text() for text in key.get_texts()] == words


def test_names_stay_clear_of_the_markers_and_bars_of_others():
    """Six pairs of views of CIFAR-10, of which three lie near each other."""
    pairs = {
        "simclr?strength=0.25": (3.90, 4.05, 0.88, 1.19),
        "simclr?strength=0.5": (3.52, 3.62, 0.86, 1.10),
        "simclr": (2.82, 2.91, 0.73, 0.95),
        "lab:l, lab:ab": (0.70, 1.32, 0.68, 1.20),
        "rgb:r, rgb:gb": (10.52, None, 0.65, 1.25),
        "blur?sigma=1, residual?sigma=1": (10.0, None, 0.49, 1.05),
    }
    shared, up_to, label, label_up_to = np.array(list(pairs.values()), dtype=float).T
    read = {
        "shared": (shared, 0.09, up_to),
        "view1": (label, 0.03, label_up_to),
        "view2": (label, 0.03, label_up_to),
        "image": (np.full(6, 0.92), 0.04, 1.68),
    }
    values = {"views": list(pairs), "option": None, "value": None, "same_label_low": 0.32, "regime": "excess"}
    for name, (bits, reach, end) in read.items():
        values |= {f"{name}_bits": bits, f"{name}_low": bits - reach, f"{name}_high": bits + reach}
        values[f"{name}_up_to"] = end
    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    axes = regimes_chart(pd.DataFrame(values), figure=figure)
    points = axes.transData.transform(np.column_stack([shared, label]))
    names = [text for text in axes.texts if text.get_text() in pairs]
    assert len(names) == 6
    for name in names:
        name.update_positions(canvas.get_renderer())
        box = Text.get_window_extent(name)  # of the words alone, without the line to the point
        gaps = np.maximum(box.min - points, points - box.max).max(axis=1) * 72 / figure.dpi
        assert gaps.min() > 0.95 * MARKER_POINTS, name.get_text()
