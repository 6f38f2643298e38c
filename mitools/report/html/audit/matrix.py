"""Paired differences of every two encoders as a matrix."""

from collections.abc import Sequence

import pandas as pd

from mitools.report.finding import NOT_TOLD_APART
from mitools.report.html.parts import Block

MOST_NAMES = 24
"""Encoders in a matrix; of more, those that read most."""


def difference_matrix(names: Sequence[str], comparisons: pd.DataFrame) -> Block:
    """Lay out differences row less column, with Holm's p, from the one that reads most down.

    Parameters
    ----------
    names
        In the order of the rows.
    comparisons
        Every two of them, as :func:`mitools.statistics.paired_differences.compare` gives them.
    """
    pairs = {}
    for row in comparisons.to_dict("records"):
        a, b = str(row["encoder_a"]), str(row["encoder_b"])
        pairs[a, b] = _cell(a, b, row, 1)
        pairs[b, a] = _cell(b, a, row, -1)
    kept = names[:MOST_NAMES]
    caption = "Row less column, in bits"
    if len(kept) < len(names):
        caption += f"; the {len(kept)} of {len(names)} encoders that read most"
    rows = [{"name": a, "cells": [pairs.get((a, b)) for b in kept]} for a in kept]
    return Block("matrix.html", {"names": kept, "rows": rows, "caption": caption})


def _cell(a: str, b: str, row: dict, sign: int) -> dict[str, str]:
    difference = sign * row["difference_bits"]
    low, high = sorted((sign * row["low_bits"], sign * row["high_bits"]))
    told = row["verdict"] != NOT_TOLD_APART
    verdict = f"{a if difference > 0 else b} carries more" if told else NOT_TOLD_APART
    return {
        "text": _signed(difference),
        "p": _p_value(row["p_holm"]),
        "kind": ("more" if difference > 0 else "less") if told else "",
        "help": f"{a} less {b}: {_signed(difference)} bits\n95% interval {_signed(low)} to {_signed(high)}\n"
        f"Holm's {_p_value(row['p_holm'])}: {verdict}",
    }


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
