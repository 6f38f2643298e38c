"""Which classes are confused, and which items carry or lose information."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mitools.report.html.parts import Block, Chart, Column, Piece, Section, Table

MOST_CLASSES = 20
"""Classes up to which all are held against each other; of more, the pairs most often confused."""

MOST_ENCODERS = 12
"""Encoders in this part of a page."""

MOST_PAIRS = 30

KINDS = {
    "loses": (
        "Items that lose information",
        "Their features speak most against their own label, in the mean of the encoders: the items are hard,"
        " or mislabelled.",
    ),
    "disagree": (
        "Items that encoders disagree about",
        "Their bits differ most from one encoder to another.",
    ),
    "carries": (
        "Items that carry most",
        "Their features say almost all that there is to say of their label.",
    ),
}


def items_section(
    items: pd.DataFrame, examples: Sequence[Mapping[str, Any]], classes: Sequence[str]
) -> Section | None:
    """Show confused classes and single items; None where no item was kept.

    Parameters
    ----------
    items
        A row an encoder and item, as :func:`mitools.report.items.items_table` gives them.
    examples
        Items to show.
    classes
        The names of the classes.
    """
    if items.empty or not classes:
        return None
    names = list(dict.fromkeys(items["encoder"]))[:MOST_ENCODERS]
    items = items[items["encoder"].isin(names)]
    few = len(classes) <= MOST_CLASSES
    pieces = _all_classes(items, names, classes) if few else _pairs(items, classes)
    for kind, (title, said) in KINDS.items():
        shown = [_example(one, items, classes) for one in examples if one["why"] == kind]
        if shown:
            pieces.append(Block("examples.html", {"title": title, "intro": said, "examples": shown}))
    intro = (
        "The classifier behind the certificate decides on every item without having seen it. The bits of an"
        " item are its pointwise information, log2 of p(class | features) over the share of the class: below"
        " 0 the features speak for another class. Their mean is the label information."
    )
    return Section("items", "Classes and items", pieces, [intro])


def _all_classes(items: pd.DataFrame, names: Sequence[str], classes: Sequence[str]) -> list[Piece]:
    rows = []
    for name in names:
        own = items[items["encoder"] == name]
        counts = np.zeros((len(classes), len(classes)), dtype=int)
        np.add.at(counts, (own["label"].to_numpy(), own["predicted"].to_numpy()), 1)
        bits = own.groupby("label")["label_bits"].mean().reindex(range(len(classes)))
        kept = [None if np.isnan(value) else round(float(value), 4) for value in bits]
        rows.append({"encoder": name, "counts": json.dumps(counts.tolist()), "bits": json.dumps(kept)})
    chart = Chart(
        "confusion",
        "confusion",
        "classes",
        "Which class is taken for which",
        {
            "label": "encoder",
            "counts": "counts",
            "bits": "bits",
            "classes": list(classes),
            "filters": [{"key": "encoder", "label": "Encoder"}],
        },
        "Columns are what the classifier decides; the last is the mean information on the label of the class"
        " in bits.",
    )
    return [chart, Table("classes", pd.DataFrame(rows))]


def _pairs(items: pd.DataFrame, classes: Sequence[str]) -> list[Piece]:
    wrong = items[items["label"] != items["predicted"]]
    counted = (
        wrong.groupby(["encoder", "label", "predicted"], sort=False).size().rename("times").reset_index()
    )
    counted = counted.sort_values("times", ascending=False, kind="stable").groupby("encoder", sort=False)
    frame = counted.head(MOST_PAIRS).reset_index(drop=True)
    of = items.groupby(["encoder", "label"]).size()
    frame["of"] = [int(of[one.encoder, one.label]) for one in frame.itertuples()]
    for name in ("label", "predicted"):
        frame[name] = [str(classes[number]) for number in frame[name]]
    columns = [
        Column("label", "true class"),
        Column("predicted", "taken for"),
        Column("times", "times", digits=0),
        Column("of", "of", "Items of the true class.", digits=0),
        Column("encoder", "encoder"),
    ]
    caption = f"The {MOST_PAIRS} pairs of classes that each encoder confuses most"
    return [Table("confused", frame, columns, caption, "encoder")]


def _example(one: Mapping[str, Any], items: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    rows = items[items["item"] == one["item"]]
    return {
        "item": f"{one['item']:,}",
        "jpeg": one.get("jpeg", ""),
        "text": one.get("text", ""),
        "label": str(classes[int(rows["label"].iloc[0])]) if len(rows) else "",
        "rows": [
            {
                "encoder": str(row.encoder),
                "predicted": str(classes[row.predicted]),
                "right": row.predicted == row.label,
                "bits": f"{row.label_bits:.2f}",
            }
            for row in rows.itertuples()
        ],
    }
