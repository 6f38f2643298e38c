"""Matrices of encoders: every cell says its number, and the tree joins what is alike."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mitools.core.errors import InputError
from mitools.report.figures.matrix import complement_matrix, similarity_chart


def complements() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "encoder": ["a", "a", "b", "b", "c", "c"],
            "given": ["b", "c", "a", "c", "a", "b"],
            "complement_bits": [1.0, 0.2, -0.01, 0.3, 0.0, 0.5],
            "low_bits": [0.9, 0.1, -0.05, 0.2, -0.1, 0.4],
            "high_bits": [1.1, 0.3, 0.03, 0.4, 0.1, 0.6],
            "verdict": ["adds", "adds", "not told from 0", "adds", "not told from 0", "adds"],
        }
    )


def test_every_ordered_pair_has_its_number_and_interval() -> None:
    figure = Figure()
    axes = complement_matrix(complements(), figure=figure)
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells[(1, 0)] == "1.00\n0.90 to 1.10", "the row adds to the column"
    assert cells[(0, 1)] == "-0.01\n-0.05 to 0.03"
    assert len(cells) == 6
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


def test_the_tree_joins_what_is_alike_and_orders_the_matrix() -> None:
    matrix = pd.DataFrame([[1, 0.1, 0.9], [0.1, 1, 0.2], [0.9, 0.2, 1]], list("xyz"), list("xyz"))
    figure = Figure()
    _, axes = similarity_chart(matrix, "linear_cka", figure=figure)
    order = [label.get_text() for label in axes.get_yticklabels()]
    assert abs(order.index("x") - order.index("z")) == 1
    shown = np.array([float(text.get_text()) for text in axes.texts]).reshape(3, 3)
    assert shown == pytest.approx(matrix.loc[order, order].to_numpy())


def test_without_rows_there_is_nothing_to_draw() -> None:
    with pytest.raises(InputError, match="no rows"):
        complement_matrix(complements().iloc[:0])
    with pytest.raises(InputError, match="needs the column 'verdict'"):
        complement_matrix(complements().drop(columns="verdict"))
