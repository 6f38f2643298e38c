"""The sections of an audit's page that compare encoders, layers and measures."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mitools.report.finding import NOT_TOLD_APART
from mitools.report.html.audit.matrix import difference_matrix
from mitools.report.html.audit.results import MOST_ROWS, READINGS, one_layer_each
from mitools.report.html.columns import COEFFICIENTS, choices, coefficients_chart, describe, label
from mitools.report.html.parts import Block, Chart, Choice, Column, Row, Section, Table
from mitools.statistics.correlation import FEW_ROWS

HEALTH = ("constant_dims", "dead_units", "duplicate_rows", "nonfinite_rows", "effective_rank")


def comparison_section(last: pd.DataFrame, comparisons: pd.DataFrame | None) -> Section | None:
    """Show who carries more than whom; None with one encoder."""
    if comparisons is None or len(last) < 2:
        return None
    names = [str(name) for name in last.sort_values("i_class_bits", ascending=False)["encoder"]]
    within = comparisons[comparisons["encoder_a"].isin(names) & comparisons["encoder_b"].isin(names)]
    told = int((within["verdict"] != NOT_TOLD_APART).sum())
    intro = [
        f"{told} of {len(within)} pairs are told apart. A cell is the row's I_class less the column's, in"
        " bits, from the same items, with Holm's p over all pairs; shaded where the two are told apart at the"
        " 5% level. What is compared is what the same method could certify of both."
    ]
    return Section(
        "comparisons",
        "Who carries more",
        [difference_matrix(names, within), Table("comparisons", within)],
        intro,
    )


def untrained_section(last: pd.DataFrame) -> Section | None:
    """Hold each encoder against its untrained self; None where no control was read."""
    if "control_gain_bits" not in last or not last["control_gain_bits"].notna().any():
        return None
    known = last[last["control_gain_bits"].notna()]
    missing = [str(name) for name in last.loc[last["control_gain_bits"].isna(), "encoder"]]
    keys = [
        "encoder", "control_i_class_bits", "control_i_class_low", "control_i_class_high",
        "control_gain_bits", "control_gain_low", "control_gain_high",
    ]  # fmt: skip
    frame = known[keys].reset_index(drop=True)
    chart = Chart(
        "gain",
        "forest",
        "untrained",
        "How much more than the same network untrained, in bits",
        {"label": "encoder", "y": choices(frame, ["control_gain_bits", "control_i_class_bits"]), "zero": 0},
        "The same architecture with random weights, read on the same items (2,000 at the most). An interval"
        " that holds 0 says that training is not seen to have added anything that this method can certify.",
    )
    intro = [f"Without an untrained twin: {', '.join(missing)}."] if missing else []
    return Section("untrained", "Against untrained", [chart, Table("untrained", frame)], intro)


def depth_section(results: pd.DataFrame) -> Section | None:
    """Draw each network's numbers over its layers; None where no network has several."""
    if one_layer_each(results):
        return None
    sizes = results.groupby("network")["layer"].transform("size")
    names = [str(name) for name in results]
    frame = results[sizes > 1].sort_values(["network", "depth"], kind="stable").reset_index(drop=True)
    values = [
        *READINGS, "linear_acc", "knn20_acc", "control_gain_bits", "effective_rank", "alignment",
        "uniformity", "tolerance", "nmi",
    ]  # fmt: skip
    keys = dict.fromkeys(
        ["encoder", "network", "layer", "depth", "n", "h_c_bits"]
        + [key for one in choices(frame, values) for key in (one.key, one.low, one.high) if key in names]
    )
    bits = choices(frame, READINGS)
    chart = Chart(
        "depth-chart",
        "lines",
        "layers",
        "Numbers of each layer over depth",
        {
            "x": [Choice("layer", "layer, from input to output")],
            "y": [*bits, *(one for one in choices(frame, values) if one not in bits)],
            "link": "encoder",
            "ordinal": True,
            "limit": "h_c_bits",
            "limit_of": [one.key for one in bits],
            "n": "n",
            "filters": [{"key": "network", "label": "Network"}],
        },
        "With 95% intervals. A layer can hold no more than the one it is computed from; where a later layer"
        " reads higher, it is easier to read, not richer.",
    )
    return Section("depth", "Depth", [chart, Table("layers", frame[list(keys)].head(4 * MOST_ROWS))])


def correlation_section(last: pd.DataFrame, correlation: pd.DataFrame) -> Section | None:
    """Show which measures go with linear accuracy; None with too few encoders to correlate."""
    if correlation.empty:
        return None
    n = int(correlation["n"].max())
    few = n < FEW_ROWS
    measures = [str(name) for name in correlation["column"]]
    frame = correlation.assign(
        label=[label(name) + (" (sign turned)" if sign < 0 else "")
               for name, sign in zip(measures, correlation["sign"], strict=True)],
        shown=measures,
    )  # fmt: skip
    if few:  # too few rows for an interval to hold the truth as often as it says
        limits = [name for name in frame if str(name).endswith(("_low", "_high"))]
        frame = frame.assign(**{str(name): None for name in limits})
    forest = coefficients_chart(
        "With linear accuracy, over the encoders; where lower is better the sign is turned, so that 1 means"
        " that a better value goes with a better accuracy."
        + ("" if few else " Intervals are 95% bootstrap intervals."),
    )
    axes = choices(last, ["linear_acc", *measures])
    keys = dict.fromkeys(
        ["encoder", "n"] + [key for one in axes for key in (one.key, one.low, one.high) if key in last]
    )
    scatter = Chart(
        "scatter",
        "scatter",
        "measures",
        "Two measures of the encoders against each other",
        {"label": "encoder", "x": axes, "y": axes, "y_start": 0, "x_start": 1, "n": "n",
         "y_name": "Up", "x_name": "Across"},
        "A point an encoder, with the 95% intervals of its numbers.",
    )  # fmt: skip
    caution = (
        f"{n} encoders are too few for an interval of a correlation; the points are shown without one, and"
        " say little of other encoders. Eight or more are needed."
        if few
        else ""
    )
    columns = [
        Column("label", "measure"),
        Column("n", "encoders", digits=0),
        *(
            Column(f"{key}{part}", f"{name}{said}", digits=3, shown=key == "pearson")
            for key, name in COEFFICIENTS.items()
            for part, said in (("", ""), *([] if few else [("_p_holm", ", Holm's p")]))
        ),
        Column("note", "note", shown=False),
    ]
    title = "Coefficients" if few else "Coefficients and p-values adjusted by Holm"
    return Section(
        "correlation",
        "What goes with accuracy",
        [forest, Table("correlation", frame, columns, title, "label"),
         scatter, Table("measures", last[list(keys)])],
        caution=caution,
    )  # fmt: skip


def health_section(results: pd.DataFrame, estimates: Mapping[str, Any]) -> Section:
    """Fold what was loaded from checkpoints, and what is wrong with features."""
    names = [name for name in HEALTH if name in results]
    frame = results[["encoder", "n", "dim", *names]].head(MOST_ROWS).reset_index(drop=True)
    table = Table("features", frame, describe(frame, frame.columns), "Health of the features", "encoder")
    reports, seen = [], set()
    for name, kept in estimates.get("encoders", {}).items():
        report = kept.get("load_report")
        network = str(name).partition("@")[0]
        if report and network not in seen:
            seen.add(network)
            reports.append({"name": network, "rows": [_row(key, value) for key, value in report.items()]})
    pieces: list[Table | Block] = [table]
    if reports:
        pieces.append(Block("reports.html", {"reports": reports}))
    return Section("loading", "Features and checkpoints", pieces, folded=True)


def _row(key: str, value: Any) -> Row:
    """Write a fact of a load report for people.

    Examples
    --------
    >>> _row("set_aside", [["fc.", "classifier"]]).value, _row("matched_share", 1.0).value
    ('fc. (classifier)', '100%')
    """
    if value is None or value in ("", [], {}):
        said = "none"
    elif isinstance(value, list | tuple):
        said = "; ".join(
            f"{one[0]} ({one[1]})" if isinstance(one, list | tuple) and len(one) == 2 else str(one)
            for one in value
        )
    elif isinstance(value, dict):
        said = "; ".join(f"{name}: {one}" for name, one in value.items())
    elif key.endswith("_share") and isinstance(value, int | float):
        said = f"{value:.0%}"
    elif isinstance(value, int) and not isinstance(value, bool):
        said = f"{value:,}"
    else:
        said = str(value)
    return Row(key.replace("_", " "), said, code="digest" in key)
