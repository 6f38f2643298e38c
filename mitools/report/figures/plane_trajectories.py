"""The information plane itself: a trajectory a layer, coloured by epoch."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mitools.report.figures.columns import Floats, column_values, require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_key, open_panels
from mitools.report.figures.plane_style import (
    CROSSED_OUT_CAPTION,
    CURVE_LINES,
    PLANE_QUANTITIES,
    WHITE_BOX,
    add_plane_caption,
    cross_out,
    data_title,
    draw_limit,
    interval_lengths,
    item_counts,
    kind_handles,
    on_log_grid,
)
from mitools.report.figures.style import (
    FONT_SIZE,
    KIND_MARKERS,
    PALE,
    method_words,
    plain_axes,
    shorten,
)

EPOCH_COLOURS = LinearSegmentedColormap.from_list("time", colormaps["viridis"](np.linspace(0.0, 0.88, 64)))
"""From dark to light, so that time shows in black and white; without the yellow, too pale on paper."""

SHARED_LABEL_DISTANCE = 0.05
"""Share of a panel's width and height within which the ends of trajectories take one label."""


def plane_chart(
    table: pd.DataFrame,
    of_input: str,
    of_label: str,
    bars: str = "95% intervals",
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> AxesArray:
    """Draw a panel a data set: I(X;T) across, I(T;Y) up, a trajectory a layer.

    Points are coloured by epoch, arrows go with time, bars are intervals, and the marker is the kind of
    I(X;T): a triangle points up from a lower bound and down from an upper one. The number at the end of a
    trajectory is the layer's in the legend; where several end in one place, there are as many numbers.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.
    of_input, of_label
        The readings to draw against each other.
    bars
        What the bars are, in words.
    ax, figure
        Where to draw, one axes a data set; see :mod:`mitools.report.figures.panels`. The colour bar takes a
        part of their place.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (data sets,).

    Raises
    ------
    InputError
        When the table has no row with both readings.
    """
    x, y = (
        table[(table["quantity"] == quantity) & (table["method"] == method)]
        for quantity, method in zip(PLANE_QUANTITIES, (of_input, of_label), strict=True)
    )
    both = x.merge(y, on=["encoder", "epoch", "layer", "depth", "data"], suffixes=("", "_y"))
    require_columns(both)
    names = list(dict.fromkeys(both["data"]))
    layers = list(dict.fromkeys(both.sort_values("depth")["layer"]))
    norm = _epoch_norm(both["epoch"].to_numpy(np.float64))
    panels = open_panels(
        ax,
        figure,
        list(map(str, names)),
        (3.6 * len(names) + 0.8, 3.5),
        layout="constrained",
        room=(0.0, 1.0),
    )
    crossed = False
    for axes, name in zip(panels.axes, names, strict=True):
        plain_axes(axes)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        rows = both[both["data"] == name]
        for place, layer in enumerate(layers):
            of_layer = rows[rows["layer"] == layer].sort_values("epoch")
            _draw_trajectory(axes, of_layer, place, norm)
            of_layer = of_layer.assign(warnings=of_layer["warnings"] + ", " + of_layer["warnings_y"])
            crossed |= cross_out(
                axes, of_layer, column_values(of_layer, "bits"), column_values(of_layer, "bits_y")
            )
        of_x, of_y = item_counts(rows), item_counts(rows.assign(n=rows["n_y"]))
        read_on = of_x if of_x == of_y else f"{of_x} for X, {of_y} for Y"
        axes.set_xlabel(_axis_label("I(X;T)", of_input, rows["kind"]), fontsize=FONT_SIZE)
        dotted = draw_limit(axes, rows["entropy_bits_y"], "H(Y)", horizontal=True)
        dotted += draw_limit(axes, rows["ceiling_bits"], "ceiling", horizontal=False)
        lines = [data_title(rows), read_on, *([f"dotted: {', '.join(dotted)}"] if dotted else [])]
        axes.set_title("\n".join(lines), fontsize=FONT_SIZE, parse_math=False)
        _number_ends(axes, rows, layers)
    panels.axes[0].set_ylabel(_axis_label("I(T;Y)", of_label, both["kind_y"]), fontsize=FONT_SIZE)
    bar = panels.axes[0].figure.colorbar(ScalarMappable(norm, EPOCH_COLOURS), ax=panels.axes, pad=0.02)
    bar.set_label("epoch", fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE - 1)
    handles = [
        Line2D(
            [], [], color="black", linestyle=CURVE_LINES[place % len(CURVE_LINES)],
            label=f"{place + 1}: {shorten(str(layer), 30)}",
        )
        for place, layer in enumerate(layers)
    ]  # fmt: skip
    handles += kind_handles(list(both["kind"]))
    add_key(
        panels, handles, loc="lower left", bbox_to_anchor=(0.01, 1.0), ncols=5, fontsize=FONT_SIZE - 1,
        handlelength=3.2,
    )  # fmt: skip
    crosses = f" {CROSSED_OUT_CAPTION}, of either reading." if crossed else ""
    add_plane_caption(panels, both, f"Bars are {bars}; arrows go with time.{crosses}")
    return panels.array


def _draw_trajectory(axes: Axes, rows: pd.DataFrame, place: int, norm: Normalize) -> None:
    if rows.empty:
        return
    x, y = column_values(rows, "bits"), column_values(rows, "bits_y")
    of_label = rows[["bits_y", "low_bits_y", "high_bits_y"]].rename(
        columns=lambda name: name.removesuffix("_y")
    )
    lengths = interval_lengths(of_label), interval_lengths(rows)
    axes.errorbar(x, y, *lengths, fmt="none", ecolor=PALE, elinewidth=0.6, alpha=0.6, zorder=1)
    colours = EPOCH_COLOURS(norm(rows["epoch"].to_numpy(np.float64)))
    line = CURVE_LINES[place % len(CURVE_LINES)]
    for k in range(len(x) - 1):
        start, end = (x[k], y[k]), (x[k + 1], y[k + 1])
        axes.plot(
            *zip(start, end, strict=True), color=colours[k + 1], linestyle=line, linewidth=1.3, zorder=2
        )  # fmt: skip
        if start != end:
            head = {"arrowstyle": "-|>", "color": colours[k + 1], "linewidth": 0, "mutation_scale": 9,
                    "shrinkA": 0, "shrinkB": 0}  # fmt: skip
            middle = (0.45 * x[k] + 0.55 * x[k + 1], 0.45 * y[k] + 0.55 * y[k + 1])
            axes.annotate("", xy=middle, xytext=start, arrowprops=head, zorder=2)
    for kind, of_kind in rows.groupby("kind", sort=False):
        axes.scatter(
            column_values(of_kind, "bits"), column_values(of_kind, "bits_y"), c=of_kind["epoch"],
            cmap=EPOCH_COLOURS, norm=norm, marker=KIND_MARKERS[str(kind)], s=10, edgecolors="black",
            linewidths=0.3, zorder=3,
        )  # fmt: skip


def _number_ends(axes: Axes, rows: pd.DataFrame, layers: list[str]) -> None:
    """Write the layers' numbers at the ends of their trajectories, one label for those that end together."""
    size = SHARED_LABEL_DISTANCE * np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    labels: list[tuple[Floats, list[str]]] = []
    for place, layer in enumerate(layers):
        last = rows[rows["layer"] == layer].sort_values("epoch").tail(1)
        if last.empty:
            continue
        end = np.array([column_values(last, "bits")[0], column_values(last, "bits_y")[0]])
        for other, numbers in labels:
            if (np.abs(end - other) < size).all():
                numbers.append(str(place + 1))
                break
        else:
            labels.append((end, [str(place + 1)]))
    for end, numbers in labels:
        axes.annotate(
            ", ".join(numbers), tuple(end), xytext=(4, 3), textcoords="offset points", fontsize=FONT_SIZE,
            weight="bold", zorder=4, bbox=WHITE_BOX,
        )  # fmt: skip


def _epoch_norm(epochs: Floats) -> Normalize:
    if on_log_grid(list(epochs)):
        first = float(epochs[epochs > 0].min())
        return SymLogNorm(first, vmin=float(epochs.min()), vmax=float(epochs.max()))
    return Normalize(float(epochs.min()), max(float(epochs.max()), float(epochs.min()) + 1))


def _axis_label(quantity: str, method: str, kinds: pd.Series) -> str:
    return f"{quantity}, {method_words(method)} (bits)\n{' or '.join(dict.fromkeys(map(str, kinds)))}"
