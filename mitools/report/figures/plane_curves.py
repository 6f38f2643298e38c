"""Courses of mutual information: over epochs, and by depth."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import AxesArray, Panels, SomeAxes, open_panels
from mitools.report.figures.plane_style import (
    CROSSED_OUT_CAPTION,
    PLANE_QUANTITIES,
    add_plane_caption,
    cross_out,
    curve_style,
    data_title,
    draw_limit,
    epoch_axis,
    interval_lengths,
    item_counts,
    stage_borders,
)
from mitools.report.figures.style import (
    FONT_SIZE,
    GREY,
    KIND_MARKERS,
    method_words,
    plain_axes,
    shorten,
)


def epochs_chart(
    table: pd.DataFrame,
    bars: str = "95% intervals",
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> AxesArray:
    """Draw I(X;T) above and I(T;Y) below against epochs, a column a data set, a curve a reading.

    The border between stages of training is dotted, where the table names stages.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it, of one layer; or of several, with other curves than
        readings in ``method``.
    bars
        What the bars are, in words.
    ax, figure
        Where to draw, one axes a quantity and data set, row by row; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (quantities, data sets).

    Raises
    ------
    InputError
        When the table has no rows.
    """

    def draw_curve(axes: Axes, curve: pd.DataFrame, label: str, kind: str, place: int) -> bool:
        curve = curve.sort_values("epoch")
        epochs, bits = curve["epoch"].to_numpy(np.float64), column_values(curve, "bits")
        style = curve_style(place)
        axes.plot(epochs, bits, marker=KIND_MARKERS[kind], markersize=3.5, linewidth=1, label=label, **style)
        axes.errorbar(
            epochs, bits, interval_lengths(curve), fmt="none", elinewidth=0.7, ecolor=style["color"],
            capsize=1.5,
        )  # fmt: skip
        return cross_out(axes, curve, epochs, bits)

    def finish(axes: Axes, rows: pd.DataFrame) -> None:
        for border in stage_borders(rows):
            axes.axvline(border, color=GREY, linestyle=":", linewidth=1.2)
        epoch_axis(axes, [float(epoch) for epoch in table["epoch"]])

    panels, shape, crossed = _draw_panels(table, ax, figure, draw_curve, finish)
    layer = f"Layer {table['layer'].iloc[0]}. " if table["layer"].nunique() == 1 else ""
    dotted = " The dotted upright line is the border between stages." if stage_borders(table) else ""
    crosses = f" {CROSSED_OUT_CAPTION}." if crossed else ""
    add_plane_caption(panels, table, f"{layer}Bars are {bars}.{dotted}{crosses}")
    return panels.array.reshape(shape)


def layers_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw I(X;T) above and I(T;Y) below by depth, at the last checkpoint and, hollow, at the first.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.
    ax, figure
        Where to draw, one axes a quantity and data set, row by row; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (quantities, data sets).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    first, last = table["epoch"].min(), table["epoch"].max()
    ticks = table.drop_duplicates("layer").sort_values("depth")

    def draw_curve(axes: Axes, curve: pd.DataFrame, label: str, kind: str, place: int) -> bool:
        crossed = False
        style = curve_style(place)
        for epoch in dict.fromkeys((first, last)):
            rows = curve[curve["epoch"] == epoch].sort_values("depth")
            depth, bits = rows["depth"].to_numpy(np.float64), column_values(rows, "bits")
            at_end = epoch == last
            axes.plot(
                depth, bits, marker=KIND_MARKERS[kind], markersize=4, linewidth=1 if at_end else 0.5,
                markerfacecolor=style["color"] if at_end else "white", label=label if at_end else None,
                **style,
            )  # fmt: skip
            axes.errorbar(
                depth, bits, interval_lengths(rows), fmt="none", elinewidth=0.7, capsize=1.5,
                ecolor=style["color"],
            )  # fmt: skip
            crossed |= cross_out(axes, rows, depth, bits)
        return crossed

    def finish(axes: Axes, rows: pd.DataFrame) -> None:
        names = [shorten(str(layer), 16) for layer in ticks["layer"]]
        axes.set_xticks(list(ticks["depth"]), names, rotation=45, ha="right")
        axes.set_xlabel("layer, from input to output", fontsize=FONT_SIZE)

    panels, shape, crossed = _draw_panels(table, ax, figure, draw_curve, finish)
    when = f"Filled: epoch {last}; hollow: epoch {first}. " if first != last else ""
    crosses = f" {CROSSED_OUT_CAPTION}." if crossed else ""
    add_plane_caption(panels, table, f"{when}Bars are 95% intervals.{crosses}")
    return panels.array.reshape(shape)


def _draw_panels(
    table: pd.DataFrame,
    ax: SomeAxes | None,
    figure: Figure | None,
    draw_curve: Callable[[Axes, pd.DataFrame, str, str, int], bool],
    finish: Callable[[Axes, pd.DataFrame], None],
) -> tuple[Panels, tuple[int, int], bool]:
    """Draw every quantity on every data set; return the panels, their shape, and whether one was crossed."""
    require_columns(table)
    names = list(dict.fromkeys(map(str, table["data"])))
    quantities = [quantity for quantity in PLANE_QUANTITIES if (table["quantity"] == quantity).any()]
    places = {method: place for place, method in enumerate(dict.fromkeys(table["method"]))}
    panels = open_panels(
        ax, figure, [f"{quantity} on {name}" for quantity in quantities for name in names],
        (3.4 * len(names) + 2.6, 2.7 * len(quantities)), columns=len(names), layout="constrained",
        room=(0.0, 0.6),
    )  # fmt: skip
    crossed = False
    for row, quantity in enumerate(quantities):
        of_quantity = table[table["quantity"] == quantity]
        in_row = panels.axes[row * len(names) : (row + 1) * len(names)]
        for axes, name in zip(in_row, names, strict=True):
            rows = of_quantity[of_quantity["data"] == name]
            for method in dict.fromkeys(of_quantity["method"]):
                kind, label = _kind_and_label(of_quantity[of_quantity["method"] == method])
                curve = rows[rows["method"] == method]
                crossed |= draw_curve(axes, curve, label, kind, places[method])
            finish(axes, rows)
            _finish_panel(axes, rows, name, quantity, first=name == names[0])
        _add_legend(in_row[-1], quantity)
    return panels, (len(quantities), len(names)), crossed


def _kind_and_label(rows: pd.DataFrame) -> tuple[str, str]:
    """Give the kind of a method's readings, and what the legend says of them."""
    kind = str(rows["kind"].iloc[0])
    ceilings = column_values(rows, "ceiling_bits")
    capped = ""
    if np.isfinite(ceilings).any():
        low, high = f"{np.nanmin(ceilings):.2f}", f"{np.nanmax(ceilings):.2f}"
        capped = f", ceiling {low}" if low == high else f", ceilings {low} to {high}"
    return kind, f"{method_words(rows['method'].iloc[0])}: {kind}, {item_counts(rows)}{capped}"


def _finish_panel(axes: Axes, rows: pd.DataFrame, name: str, quantity: str, first: bool) -> None:
    plain_axes(axes)
    entropy = rows["entropy_bits"] if quantity == PLANE_QUANTITIES[1] else rows["entropy_bits"].iloc[:0]
    dotted = [f"dotted: {text}" for text in draw_limit(axes, entropy, "H(Y)", horizontal=True)]
    title = "\n".join([data_title(rows) if len(rows) else name, *dotted])
    axes.set_title(title, fontsize=FONT_SIZE, parse_math=False)
    if first:
        axes.set_ylabel(f"{quantity} (bits)", fontsize=FONT_SIZE)


def _add_legend(axes: Axes, quantity: str) -> None:
    axes.legend(
        *axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
        fontsize=FONT_SIZE - 1, title=quantity, title_fontsize=FONT_SIZE - 1, alignment="left",
        handlelength=3.2,
    )  # fmt: skip
