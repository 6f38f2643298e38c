"""Points of accuracy carry their setting's name, each with a place of its own."""

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from mitools.analyses.shared.accuracy_curve import draw_curve, name_points
from mitools.report.figures.panels import open_panels

CROWD = pd.DataFrame(
    {
        "setting": ["lab", "ydbdr", "hsv", "rgb"],
        "shared_bits": [0.10, 0.12, 0.11, 5.0],
        "shared_low": [0.05, 0.07, 0.06, 4.9],
        "shared_high": [0.15, 0.17, 0.16, 5.1],
        "linear_acc": [0.400, 0.401, 0.390, 0.35],
        "linear_acc_stderr": 0.01,
        "colour": ["#000000", "#000000", "#ff0000", "#ff0000"],
    }
)


def test_names_of_points_that_lie_together_do_not_cover_each_other() -> None:
    figure = Figure()
    panels = open_panels(None, figure, ["one"], (3.5, 3.3))
    (axes,) = panels.axes
    draw_curve(axes, CROWD, "shared", "black", "o", "trained", connected=False)
    name_points(panels, [CROWD], ["shared"])
    assert [text.get_text() for text in axes.texts] == list(CROWD["setting"])
    assert [text.get_color() for text in axes.texts] == list(CROWD["colour"])
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    overlaps = [one.overlaps(other) for one in boxes for other in boxes if one is not other]
    assert len(overlaps) == 12
    assert not any(overlaps)
    points = axes.transData.transform(CROWD[["shared_bits", "linear_acc"]].to_numpy())
    assert not np.any([box.contains(*point) for box in boxes for point in points])


def test_names_keep_clear_of_lines_across_the_axes() -> None:
    figure = Figure()
    panels = open_panels(None, figure, ["one"], (3.5, 3.3))
    (axes,) = panels.axes
    lonely = CROWD.iloc[-1:]
    draw_curve(axes, lonely, "shared", "black", "o", "trained", connected=False)
    axes.set(xlim=(4.5, 5.5), ylim=(0.3, 0.4))
    axes.axhline(0.352)
    axes.axvline(5.15)
    name_points(panels, [lonely], ["shared"])
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    (box,) = (Text.get_window_extent(text) for text in axes.texts)
    across, up = axes.transData.transform((5.15, 0.352))
    assert not box.y0 < up < box.y1
    assert not box.x0 < across < box.x1
