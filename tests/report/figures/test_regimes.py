"""The chart of the three regimes: bands, bars, and arrows where no upper end is told."""

import numpy as np
import pandas as pd
import pytest

from mitools.report.figures.regimes import regimes_chart


@pytest.fixture
def table():
    """Two pairs of views: what is not excluded of the first ends, and of the second it does not."""
    values = {
        "views": ["weak", "strong"],
        "option": [None, None],
        "value": [None, None],
        "same_label_low": 0.9,
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
