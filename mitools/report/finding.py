"""What was found, in sentences that the intervals allow."""

from collections.abc import Sequence

import pandas as pd

NOT_TOLD_APART = "not told apart"

MOST_NAMES = 6
"""Encoders that a sentence names; of more it gives the number."""


def audit_finding(results: pd.DataFrame, comparisons: pd.DataFrame | None) -> list[str]:
    """Say which encoder carries most, which it is told apart from, and which gained nothing by training.

    Parameters
    ----------
    results
        One row an encoder or layer, as ``results.csv`` has them.
    comparisons
        As :func:`mitools.statistics.paired_differences.compare` gives them; None with one encoder.

    Returns
    -------
    list of str
        A sentence each.

    Examples
    --------
    >>> row = {"i_class_bits": 2.2, "i_class_low": 2.1, "i_class_high": 2.3, "h_c_bits": 3.3}
    >>> audit_finding(pd.DataFrame([row | {"encoder": "net"}]), None)
    ['net: 2.200 bits of class information are certified (95% interval 2.100 to 2.300), of H(C) = 3.300.']
    """
    best = results.loc[results["i_class_bits"].idxmax()]
    bits = f"{best['i_class_bits']:.3f} bits of class information are certified"
    interval = f"95% interval {best['i_class_low']:.3f} to {best['i_class_high']:.3f}"
    sentences = [f"{best['encoder']}: {bits} ({interval}), of H(C) = {best['h_c_bits']:.3f}."]
    if comparisons is not None and len(comparisons):
        sentences += _comparison(str(best["encoder"]), comparisons)
    return sentences + _untrained(results)


def study_finding(cells: pd.DataFrame) -> list[str]:
    """Say for each data set which encoder reads highest, and whose intervals lie wholly below its own.

    Parameters
    ----------
    cells
        One row a cell, as :func:`mitools.report.study.cell_table` lays them out.

    Returns
    -------
    list of str
        A sentence a data set, of the first measure with intervals and its first seed; none where there is
        no such measure, or one encoder alone.
    """
    read = cells[(cells["state"] == "done") & cells["low"].notna() & cells["high"].notna()]
    sentences = []
    for data, rows in read.groupby("data", sort=False):
        first = rows.iloc[0]
        same = (rows[["pairing", "measure", "seed"]] == first[["pairing", "measure", "seed"]]).all(axis=1)
        rows = rows[same]
        if len(rows) < 2:
            continue
        best = rows.loc[rows["value"].idxmax()]
        others = rows[rows["encoder"] != best["encoder"]]
        below = [str(name) for name in others.loc[others["high"] < best["low"], "encoder"]]
        overlapping = [str(name) for name in others.loc[others["high"] >= best["low"], "encoder"]]
        parts = [f"lies above that of {_names(below)}"] if below else []
        parts += [f"overlaps with that of {_names(overlapping)}"] if overlapping else []
        interval = f"{best['value']:.3f} bits, {best['low']:.3f} to {best['high']:.3f}"
        what = f"{first['pairing']}:{first['measure']}".removeprefix(":")
        highest = f"{best['encoder']} reads highest ({interval})"
        sentences.append(f"{data}, {what}: {highest}; its interval {' and '.join(parts)}.")
    return sentences


def plane_finding(table: pd.DataFrame) -> list[str]:
    """Say at which layer the most is read of the label at the last checkpoint, and since when.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.

    Returns
    -------
    list of str
        A sentence a data set, of the first lower bound of I(T;Y) that has intervals: a point estimate may
        read much where there is nothing.
    """
    bounds = table["kind"].isin(["lower bound", "asymptotic lower bound"])
    of_label = table[(table["quantity"] == "I(T;Y)") & table["low_bits"].notna() & bounds]
    sentences = []
    for data, rows in of_label.groupby("data", sort=False):
        rows = rows[rows["method"] == rows["method"].iloc[0]]
        last = rows[rows["epoch"] == rows["epoch"].max()]
        best = last.loc[last["bits"].idxmax()]
        began = rows[(rows["layer"] == best["layer"]) & (rows["epoch"] == rows["epoch"].min())].iloc[0]
        said = f"{data}: at epoch {best['epoch']} most of the label is read at {best['layer']}"
        interval = f"{best['low_bits']:.3f} to {best['high_bits']:.3f}"
        said += f", {best['bits']:.3f} bits by {best['method']} ({interval})"
        if began["epoch"] < best["epoch"]:
            apart = best["low_bits"] > began["high_bits"] or best["high_bits"] < began["low_bits"]
            told = "" if apart else ", not told from it"
            said += f"; at epoch {began['epoch']} it was {began['bits']:.3f}{told}"
        sentences.append(said + ".")
    return sentences


def _comparison(best: str, comparisons: pd.DataFrame) -> list[str]:
    first, second = comparisons["encoder_a"] == best, comparisons["encoder_b"] == best
    others = comparisons["encoder_b"].where(first, comparisons["encoder_a"])
    told = comparisons["verdict"] != NOT_TOLD_APART
    less, equal = list(others[(first | second) & told]), list(others[(first | second) & ~told])
    parts = [f"carries more than {_names(less)}"] if less else []
    parts += [f"is not told apart from {_names(equal)}"] if equal else []
    sentence = f"{best} {' and '.join(parts)}"
    if len(comparisons) > len(less) + len(equal):
        sentence += f"; of all {len(comparisons)} pairs {int(told.sum())} are told apart"
    return [sentence + " (paired differences, Holm-adjusted)."]


def _untrained(results: pd.DataFrame) -> list[str]:
    """Say of which networks training added nothing that can be told."""
    if "control_gain_low" not in results:
        return []
    compared = results[results["control_gain_low"].notna()]
    none = [str(name) for name in compared.loc[compared["control_gain_low"] <= 0, "encoder"]]
    if none:
        verb = "certifies" if len(none) == 1 else "certify"
        return [f"{_names(none)} {verb} no more than the same network untrained, as far as can be told."]
    if len(compared):
        return ["Every network certifies more than itself untrained."]
    return []


def _names(names: Sequence[str]) -> str:
    if len(names) > MOST_NAMES:
        return f"{len(names)} others"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
