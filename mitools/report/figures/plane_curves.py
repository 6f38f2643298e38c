"""Courses of mutual information: over epochs, and by depth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.plane_style import (
    CROSSED,
    MARKERS,
    QUANTITIES,
    caption,
    counts,
    cross_out,
    epoch_axis,
    floats,
    limit,
    need,
    reach,
    save,
    stage_borders,
    style,
    titled,
)
from mitools.report.figures.style import FONT_SIZE, GREY, plain_axes, shorten


def epochs_chart(table: pd.DataFrame, path: Path, bars: str = "95% intervals") -> list[Path]:
    """Draw I(X;T) above and I(T;Y) below against epochs, a column a data set, a curve a reading.

    The border between stages of training is dotted, where the table names stages.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it, of one layer; or of several, with other curves than
        readings in ``method``.
    path
        Where to write; the endings are put behind it.
    bars
        What the bars are, in words.
    """
    need(table)
    names, quantities = _present(table)
    figure, panels = _grid(names, quantities)
    crossed = False
    for row, quantity in zip(panels, quantities, strict=True):
        for axes, name in zip(row, names, strict=True):
            rows = table[(table["data"] == name) & (table["quantity"] == quantity)]
            for place, method, curve in _by_method(table, quantity, rows):
                curve = curve.sort_values("epoch")
                epochs = curve["epoch"].to_numpy(np.float64)
                kind, label = _kind_and_label(table, quantity, method)
                look = style(place)
                axes.plot(epochs, floats(curve, "bits"), marker=MARKERS[kind], markersize=3.5, linewidth=1,
                          label=label, **look)  # fmt: skip
                axes.errorbar(epochs, floats(curve, "bits"), reach(curve), fmt="none", elinewidth=0.7,
                              ecolor=look["color"], capsize=1.5)  # fmt: skip
                crossed |= cross_out(axes, curve, epochs, floats(curve, "bits"))
            for border in stage_borders(rows):
                axes.axvline(border, color=GREY, linestyle=":", linewidth=1.2)
            epoch_axis(axes, [float(epoch) for epoch in table["epoch"]])
            _finish_panel(axes, rows, name, quantity, first=name == names[0])
    _legends(figure, panels, quantities)
    layer = f"Layer {table['layer'].iloc[0]}. " if table["layer"].nunique() == 1 else ""
    dotted = " The dotted upright line is the border between stages." if stage_borders(table) else ""
    caption(figure, table, f"{layer}Bars are {bars}.{dotted}{f' {CROSSED.capitalize()}.' if crossed else ''}")
    return save(figure, path)


def layers_chart(table: pd.DataFrame, path: Path) -> list[Path]:
    """Draw I(X;T) above and I(T;Y) below by depth, at the last checkpoint and, hollow, at the first.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.
    path
        Where to write; the endings are put behind it.
    """
    need(table)
    names, quantities = _present(table)
    figure, panels = _grid(names, quantities)
    first, last, crossed = table["epoch"].min(), table["epoch"].max(), False
    ticks = table.drop_duplicates("layer").sort_values("depth")
    for row, quantity in zip(panels, quantities, strict=True):
        for axes, name in zip(row, names, strict=True):
            rows = table[(table["data"] == name) & (table["quantity"] == quantity)]
            for place, method, curve in _by_method(table, quantity, rows):
                kind, label = _kind_and_label(table, quantity, method)
                look = style(place)
                for epoch in dict.fromkeys((first, last)):
                    part = curve[curve["epoch"] == epoch].sort_values("depth")
                    depth, bits = part["depth"].to_numpy(np.float64), floats(part, "bits")
                    at_end = epoch == last
                    axes.plot(
                        depth, bits, marker=MARKERS[kind], markersize=4, linewidth=1 if at_end else 0.5,
                        markerfacecolor=look["color"] if at_end else "white",
                        label=label if at_end else None, **look,
                    )  # fmt: skip
                    axes.errorbar(depth, bits, reach(part), fmt="none", elinewidth=0.7, capsize=1.5,
                                  ecolor=look["color"])  # fmt: skip
                    crossed |= cross_out(axes, part, depth, bits)
            axes.set_xticks(
                list(ticks["depth"]), [shorten(str(layer), 16) for layer in ticks["layer"]], rotation=45,
                ha="right",
            )  # fmt: skip
            _finish_panel(axes, rows, name, quantity, first=name == names[0])
            axes.set_xlabel("layer, from input to output", fontsize=FONT_SIZE)
    _legends(figure, panels, quantities)
    when = f"Filled: epoch {last}; hollow: epoch {first}. " if first != last else ""
    crosses = f" {CROSSED.capitalize()}." if crossed else ""
    caption(figure, table, f"{when}Bars are 95% intervals.{crosses}")
    return save(figure, path)


def _present(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    names = list(dict.fromkeys(map(str, table["data"])))
    return names, [quantity for quantity in QUANTITIES if (table["quantity"] == quantity).any()]


def _grid(names: Sequence[str], quantities: Sequence[str]) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(3.4 * len(names) + 2.6, 2.7 * len(quantities)), layout="constrained")
    return figure, figure.subplots(len(quantities), len(names), squeeze=False)


def _by_method(table: pd.DataFrame, quantity: str, rows: pd.DataFrame) -> list[tuple[int, str, pd.DataFrame]]:
    """Give the place of every reading, which is the same in every panel, its name and its rows."""
    places = {method: place for place, method in enumerate(dict.fromkeys(table["method"]))}
    methods = dict.fromkeys(table.loc[table["quantity"] == quantity, "method"])
    return [(places[method], str(method), rows[rows["method"] == method]) for method in methods]


def _kind_and_label(table: pd.DataFrame, quantity: str, method: str) -> tuple[str, str]:
    """Give a reading's kind, and what the legend says of it."""
    rows = table[(table["quantity"] == quantity) & (table["method"] == method)]
    kind = str(rows["kind"].iloc[0])
    ceilings = floats(rows, "ceiling_bits")
    capped = f", ceiling {np.nanmax(ceilings):.2f}" if np.isfinite(ceilings).any() else ""
    return kind, f"{method}: {kind}, {counts(rows)}{capped}"


def _finish_panel(axes: Axes, rows: pd.DataFrame, name: str, quantity: str, first: bool) -> None:
    plain_axes(axes)
    entropy = rows["entropy_bits"] if quantity == QUANTITIES[1] else rows["entropy_bits"].iloc[:0]
    dotted = [f"dotted: {text}" for text in limit(axes, entropy, "H(Y)", horizontal=True)]
    title = "\n".join([titled(rows) if len(rows) else name, *dotted])
    axes.set_title(title, fontsize=FONT_SIZE, parse_math=False)
    if first:
        axes.set_ylabel(f"{quantity} (bits)", fontsize=FONT_SIZE)


def _legends(figure: Figure, panels: np.ndarray, quantities: Sequence[str]) -> None:
    for row, quantity in zip(panels, quantities, strict=True):
        row[-1].legend(
            *row[-1].get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
            fontsize=FONT_SIZE - 1, title=quantity, title_fontsize=FONT_SIZE - 1, alignment="left",
            handlelength=3.2,
        )  # fmt: skip
