"""The page of an information plane."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from mitools.core.run_record import read_record
from mitools.report.figures.plane_style import CROSSED_OUT_WARNINGS, PLANE_QUANTITIES
from mitools.report.figures.style import method_words
from mitools.report.finding import plane_finding
from mitools.report.html.columns import describe
from mitools.report.html.gather import read_table
from mitools.report.html.glossary import citation_section, words_section
from mitools.report.html.parts import Block, Chart, Choice, Page, Row, Section, Table
from mitools.report.html.provenance import digests, provenance, typed
from mitools.report.plane import paired_readings

TEXTS = ("encoder", "stage", "layer", "data", "role", "quantity", "method", "kind", "measures", "warnings")

MOST_DRAWN = 3000
"""Readings in a page, drawn or downloaded; of more, those of the first checkpoints."""

MOST_ROWS = 300
"""Readings in the table."""

SHOWN = ("data", "quantity", "read_by", "bits", "kind", "null_bits", "ceiling_bits", "warnings")

WORDS = (
    "information plane", "mutual information", "lower bound", "upper bound", "point estimate", "ceiling",
    "null", "over-compression", "KSG", "certificate",
)  # fmt: skip


def plane_page(folder: Path) -> Page:
    """Make the page of a plane from ``plane.csv``."""
    table, run = read_table(folder / "plane.csv", TEXTS), read_record(folder)
    layers, epochs = list(dict.fromkeys(table["layer"])), sorted(set(table["epoch"]))
    data = list(dict.fromkeys(table["data"]))
    facts = [
        Row("data", ", ".join(data)),
        Row("layers", f"{len(layers)}"),
        Row("checkpoints", f"{len(epochs)}: epoch {epochs[0]:g} to {epochs[-1]:g}"),
        Row("items", f"{int(table['n'].max()):,}"),
        *provenance(run, {}),
    ]
    sections = [_trajectories(table), _curves(table, len(layers), len(epochs)), _readings(table)]
    return Page(
        "plane",
        f"Information plane of {len(layers)} layer{'s' if len(layers) != 1 else ''} at {len(epochs)}"
        f" checkpoint{'s' if len(epochs) != 1 else ''}",
        plane_finding(table),
        facts,
        [
            *(section for section in sections if section is not None),
            Section("downloads", "Downloads", [Block("downloads.html", {"names": ["plane"]})]),
            words_section(WORDS),
            citation_section(),
        ],
        typed(run),
        digests(run),
    )


def _trajectories(table: pd.DataFrame) -> Section | None:
    """Draw I(X;T) across and I(T;Y) up, a curve a layer; None where there are not both."""
    of_input, of_label = PLANE_QUANTITIES
    keys = ["layer", "data", "epoch"]
    parts = []
    for across, up in paired_readings(table).items():
        x = table[(table["quantity"] == of_input) & (table["method"] == across)]
        y = table[(table["quantity"] == of_label) & (table["method"] == up)]
        kept = [*keys, "bits", "low_bits", "high_bits", "warnings"]
        joined = x[[*kept, "n"]].merge(y[kept], on=keys, suffixes=("_x", "_y"))
        parts.append(joined.assign(reading=f"{method_words(across)} and {method_words(up)}"))
    if not parts or all(part.empty for part in parts):
        return None
    # First, and so drawn at first, what says most of the data: fewest points at a ceiling or at their null.
    parts = sorted((part for part in parts if len(part)), key=_crossed_out)
    frame = pd.concat(parts, ignore_index=True).drop(columns=["warnings_x", "warnings_y"])
    frame = frame.rename(
        columns={
            "low_bits_x": "x_low",
            "high_bits_x": "x_high",
            "low_bits_y": "y_low",
            "high_bits_y": "y_high",
        }
    )
    chart = Chart(
        "plane-chart",
        "scatter",
        "trajectories",
        "The information plane, a curve a layer",
        {
            "label": "layer",
            "series": "layer",
            "connected": True,
            "x": [Choice("bits_x", f"{of_input} (bits)", "x_low", "x_high")],
            "y": [Choice("bits_y", f"{of_label} (bits)", "y_low", "y_high")],
            "also": [Choice("epoch", "epoch")],
            "n": "n",
            "filters": [{"key": "reading", "label": "Read by"}, {"key": "data", "label": "Data"}],
        },
        "A point a checkpoint, joined in order of time. For a deterministic network with continuous features"
        " the true I(X;T) is infinite: a finite reading measures bins, noise or the method.",
    )
    first = parts[0]
    crossed_out = round(_crossed_out(first) * len(first))
    caution = (
        f"{crossed_out} of {len(first)} points by {first['reading'].iloc[0]} lie at a ceiling or above the"
        " entropy, or read no more than permuted pairs: where they stand says nothing of the layer."
        if crossed_out
        else ""
    )
    return Section("plane", "Plane", [chart, Table("trajectories", frame)], caution=caution)


def _crossed_out(points: pd.DataFrame) -> float:
    said = points["warnings_x"] + ", " + points["warnings_y"]
    return float(said.str.contains("|".join(CROSSED_OUT_WARNINGS)).mean())


def _curves(table: pd.DataFrame, layers: int, epochs: int) -> Section | None:
    value = [Choice("bits", "bits", "low_bits", "high_bits")]
    by_data: dict[str, object] = {"key": "data", "label": "Data"}
    quantity: dict[str, object] = {"key": "quantity", "label": "Quantity"}
    shared = {"y": value, "series": "read_by", "n": "n"}
    pieces = []
    if epochs > 1:
        over_training = {
            "x": [Choice("epoch", "epoch")],
            "filters": [quantity, {"key": "layer", "label": "Layer", "last": True}, by_data],
        }
        title = "Readings of one layer over training, a curve a method"
        pieces.append(Chart("epochs", "lines", "plane", title, {**shared, **over_training}, f"{title}."))
    if layers > 1:
        over_depth = {
            "x": [Choice("layer", "layer, from input to output")],
            "ordinal": True,
            "filters": [quantity, {"key": "epoch", "label": "Epoch", "last": True}, by_data],
        }
        title = "Readings of one checkpoint over the layers, a curve a method"
        pieces.append(Chart("depth-chart", "lines", "plane", title, {**shared, **over_depth}, f"{title}."))
    return Section("curves", "Over training and depth", pieces) if pieces else None


def _readings(table: pd.DataFrame) -> Section:
    """Show the readings of the last checkpoint; the others are drawn, and can be downloaded."""
    frame = table.drop(columns=[name for name in ("encoder", "seconds") if name in table])
    frame.insert(frame.columns.get_loc("method"), "read_by", frame["method"].map(method_words))
    drawn = Table("plane", frame.head(MOST_DRAWN), left_out=max(0, len(frame) - MOST_DRAWN))
    last = frame[frame["epoch"] == frame["epoch"].max()]
    shown = last.head(MOST_ROWS).reset_index(drop=True)
    caption = f"Readings at epoch {last['epoch'].iloc[0]:g}"
    shown["warnings"] = shown["warnings"].str.replace("_", " ")
    columns = [
        replace(one, low="low_bits", high="high_bits") if one.key == "bits" else one
        for one in describe(shown, SHOWN, "layer")
        if one.key not in ("low_bits", "high_bits")
    ]
    readings = Table("readings-table", shown, columns, caption, left_out=len(last) - len(shown))
    return Section("readings", "Readings", [readings, drawn])
