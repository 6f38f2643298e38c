import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from mitools.core.errors import InputError
from mitools.report.figures.forest import forest_chart
from mitools.statistics.correlation import correlate


def table(n):
    rng = np.random.default_rng(0)
    accuracy = np.linspace(0.5, 0.9, n)
    return pd.DataFrame(
        {
            "i_class_bits": accuracy + 0.02 * rng.standard_normal(n),
            "alignment": -accuracy + 0.02 * rng.standard_normal(n),
            "constant": 1.0,
            "linear_acc": accuracy,
        }
    )


def drawn(axes):
    bars = [one for one in axes.collections if isinstance(one, LineCollection)]
    return [line for bar in bars for line in bar.get_segments()]


def test_a_row_a_measure_with_its_interval():
    found = correlate(table(12), "linear_acc", bootstrap=200)
    axes = forest_chart(found, "digits", figure=Figure())
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "I_class, class posterior",
        "alignment (lower is better)",
    ], "a column without a coefficient is left out"
    assert axes.get_title() == "digits, n = 12: 95% intervals"
    by_column = found.set_index("column")
    ends = {(line[0, 0], line[1, 0]) for line in drawn(axes)}
    expected = by_column.loc[["i_class_bits", "alignment"], ["pearson_low", "pearson_high"]]
    assert ends == {tuple(row) for row in expected.to_numpy()}


def test_few_rows_have_points_and_no_intervals():
    axes = forest_chart(correlate(table(5), "linear_acc", bootstrap=200), "digits", figure=Figure())
    assert drawn(axes) == []
    assert axes.get_title() == "digits, n = 5: too small for intervals"


def test_without_a_coefficient_there_is_nothing_to_draw():
    found = correlate(table(12)[["constant", "linear_acc"]], "linear_acc", bootstrap=200)
    with pytest.raises(InputError):
        forest_chart(found, figure=Figure())
