"""What the table of shared attributes says, in words that its intervals allow."""

from typing import Any

import pandas as pd

from mitools.analyses.shared.finding import listed

KEPT_SHARE = 0.9
"""Share of H(C) that the interval's low end must reach before an attribute counts as kept."""

ONE_RUN = (
    "There is one run a graph: the intervals are those of images alone, and another seed may differ by more."
)


def describe(table: pd.DataFrame) -> str:
    """Say what becomes of attributes by how many views share them, and what the graph changes.

    Parameters
    ----------
    table
        One row a graph, view and attribute, as ``results.csv`` has them; graph ``untrained`` for the networks
        before training.
    """
    trained = table[table["weight"].notna() & (table["graph"] != "untrained")]
    by_weight = trained.groupby("attribute", sort=False)["weight"].max().sort_values(ascending=False)
    found = [_attribute(str(attribute), table, trained) for attribute in by_weight.index]
    return "\n".join([*found, ONE_RUN])


def _attribute(attribute: str, table: pd.DataFrame, trained: pd.DataFrame) -> str:
    rows = trained[trained["attribute"] == attribute]
    before = table[(table["attribute"] == attribute) & (table["graph"] == "untrained")].set_index("view")
    weights = listed(
        [
            f"{weight:g} ({graph})"
            for graph, weight in rows.groupby("graph", sort=False)["weight"].first().items()
        ]
    )
    contrasted, other = rows[rows["view_weight"] > 0], rows[rows["view_weight"] == 0]
    text = f"{attribute.capitalize()} has weight {weights} in the objectives."
    if len(contrasted):
        text += f" Where an encoder's own objectives count it, {_kept(contrasted)}."
    if len(other):
        where = "Where they do not" if len(contrasted) else "No encoder's own objectives count it:"
        text += f" {where}{',' if len(contrasted) else ''} {_kept(other)}."
    text += _against_untrained(rows, before)
    if rows.groupby("view")["view_weight"].nunique().gt(1).any():
        text += _graphs(rows)
    return text


def _kept(rows: pd.DataFrame) -> str:
    kept = rows["i_class_share_low"] >= KEPT_SHARE
    least = rows.loc[rows["i_class_share"].idxmin()]
    span = (
        f"the least is {least['i_class_share']:.2f} of H(C) ({_between(least)}; {least['view']},"
        f" {least['graph']})"
    )
    count = f"all {len(rows)}" if kept.all() else f"{int(kept.sum())} of {len(rows)}"
    return f"{count} encoders are certified to keep {KEPT_SHARE} of H(C) or more; {span}"


def _against_untrained(rows: pd.DataFrame, before: pd.DataFrame) -> str:
    start_low = rows["view"].map(before["i_class_share_low"])
    start_high = rows["view"].map(before["i_class_share_high"])
    less, more = rows["i_class_share_high"] < start_low, rows["i_class_share_low"] > start_high
    span = f"{before['i_class_share'].min():.2f} to {before['i_class_share'].max():.2f}"
    return (
        f" The untrained networks hold {span}; after training {int(less.sum())} of {len(rows)} encoders hold"
        f" less beyond the intervals, and {int(more.sum())} more."
    )


def _graphs(rows: pd.DataFrame) -> str:
    """Compare, view by view, the graphs that count the attribute with those that do not."""
    told = []
    for view, own in rows.groupby("view", sort=False):
        counting, not_counting = own[own["view_weight"] > 0], own[own["view_weight"] == 0]
        if counting.empty or not_counting.empty:
            continue
        readings = listed(
            [f"{row['graph']} {row['i_class_share']:.2f} ({_between(row)})" for _, row in own.iterrows()]
        )
        verdicts = listed([f"{row['graph']} {_verdict(row, not_counting)}" for _, row in counting.iterrows()])
        told.append(
            f" In the encoder of {view}: {readings}. Against the graphs that do not count it, {verdicts}."
        )
    return "".join(told)


def _verdict(counting: Any, not_counting: pd.DataFrame) -> str:
    if counting["i_class_share_low"] > not_counting["i_class_share_high"].max():
        return "keeps more, as Fig. 3 says"
    if counting["i_class_share_high"] < not_counting["i_class_share_low"].min():
        return "keeps less, unlike Fig. 3"
    return "is not told apart"


def _between(row: Any) -> str:
    return f"{row['i_class_share_low']:.2f} to {row['i_class_share_high']:.2f}"
