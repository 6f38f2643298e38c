"""The sections of an audit's page on encoders together: what one adds to another, and how alike they are."""

from typing import Any

import pandas as pd

from mitools.comparing.complement import ADDS
from mitools.report.figures.style import method_words
from mitools.report.finding import complement_finding
from mitools.report.html.parts import Block, Column, Section, Table

COMPLEMENT_TEXTS = ("encoder", "given", "verdict")
SIMILARITY_TEXTS = ("similarity", "encoder_a", "encoder_b")

MOST_NAMES = 24
"""Encoders in a matrix; of more, the first."""

COMPLEMENT_COLUMNS = (
    Column("encoder", "this one"),
    Column("given", "beside this one"),
    Column("complement_bits", "adds (bits)", low="low_bits", high="high_bits", digits=3,
           help="What a linear reader of both says of the label beyond a reader of the second alone."),
    Column("p", "Holm's p"),
    Column("verdict", "verdict"),
    Column("at_most_bits", "at most", digits=3,
           help="H(C) less what the second is read to hold at least: no information can be added beyond it."),
    Column("together_bits", "both together", digits=3, shown=False),
)  # fmt: skip

SIMILARITY_COLUMNS = (
    Column("similarity", "similarity"),
    Column("encoder_a", "encoder"),
    Column("encoder_b", "and"),
    Column("value", "value", low="low", high="high", digits=3, help="1 for the same encoder."),
    Column("by_chance", "by chance", digits=3,
           help="The same two encoders with their items paired at random: what is no likeness."),
)  # fmt: skip


def complement_section(complement: pd.DataFrame, h_c_bits: float) -> Section | None:
    """Show what every encoder adds to every other; None where nobody asked (``--complement``)."""
    if complement.empty:
        return None
    names = list(dict.fromkeys(complement["encoder"]))[:MOST_NAMES]
    cells = {(str(row["encoder"]), str(row["given"])): _cell(row) for row in complement.to_dict("records")}
    rows = [{"name": a, "cells": [cells.get((a, b)) for b in names]} for a in names]
    caption = "What the row's encoder adds to the column's, in bits"
    matrix = Block("matrix.html", {"names": names, "rows": rows, "caption": caption})
    intro = [
        complement_finding(complement, h_c_bits),
        "A linear classifier that reads both encoders codes the label of new items in so many bits less than"
        " one that reads the column's alone: what somebody gains who puts the row's encoder beside it. Both"
        " are read on the same items, so that what is hard for both drops out of the interval; shaded where"
        " the gain is told from 0 by Holm's p over all ordered pairs. A class may be easy for one encoder and"
        " hard for the other: two encoders of equal I_class add nothing to each other where they know the"
        " same, and much where they do not. The folder has further tables: what two have in common as a"
        " linear reader reads it, and the best pair and few (redundancy.csv, subsets.csv).",
    ]
    frame = complement.assign(p=complement["p_holm"].map(_p_value))
    table = Table("complement", frame, COMPLEMENT_COLUMNS, "Every ordered pair, with paired intervals")
    return Section("complement", "What is added", [matrix, table], intro)


def similarity_section(similarity: pd.DataFrame) -> Section | None:
    """Show how alike every two encoders see the items; None where nobody asked (``--similarity``)."""
    if similarity.empty:
        return None
    similarity = similarity.assign(similarity=similarity["similarity"].map(method_words))
    columns = [one for one in SIMILARITY_COLUMNS if one.key in similarity]
    table = Table("similarity", similarity, columns, "Every two, with 95% intervals")
    intro = [
        "How alike two encoders lay the same items out, from 0 to 1. It says nothing of the label: encoders"
        " that hold the same bits may lay items out differently, and similar ones may differ in a few bits."
        " With few items a column some kinds are high for any two encoders: read the value beside what it is"
        " by chance."
    ]
    return Section("similarity", "How alike", [table], intro)


def _cell(row: dict[str, Any]) -> dict[str, str]:
    told, p = row["verdict"] == ADDS, _p_value(row["p_holm"], "= ")
    value, low, high = (float(row[name]) for name in ("complement_bits", "low_bits", "high_bits"))
    return {
        "text": f"{value:+.3f}".replace("-", "\N{MINUS SIGN}"),
        "p": f"p {p}",
        "kind": "more" if told else "",
        "help": f"{row['encoder']} beside {row['given']}: {value:+.3f} bits\n95% interval {low:+.3f} to"
        f" {high:+.3f}\nHolm's p {p}: {row['verdict']}",
    }


def _p_value(p: float, equals: str = "") -> str:
    return "< 0.001" if p < 0.001 else f"{equals}{p:.3f}"
