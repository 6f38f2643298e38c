"""What a study found on each data set, in a sentence that claims no more than the intervals tell."""

import pandas as pd

from mitools.measures.registry import MEASURES, find_measure
from mitools.measures.view_names import DEFAULT_VIEW, registered_pairing
from mitools.report.figures.style import AXIS_LABELS
from mitools.report.finding import listed_few
from mitools.report.words import column_words


def study_finding(cells: pd.DataFrame) -> list[str]:
    """Say for each data set which encoder reads highest, and whose intervals lie wholly below its own.

    Parameters
    ----------
    cells
        One row a cell, as :func:`mitools.report.study.cell_table` lays them out.

    Returns
    -------
    list of str
        A sentence a data set, of the first measure with intervals: the mean over the seeds that every encoder
        has, and from the lowest to the highest limit of their intervals. None where there is no such measure
        or seed, or one encoder alone.
    """
    read = cells[(cells["state"] == "done") & cells["low"].notna() & cells["high"].notna()]
    sentences = []
    for data, rows in read.groupby("data", sort=False):
        first = rows.iloc[0]
        same = (rows[["pairing", "measure"]] == first[["pairing", "measure"]]).all(axis=1)
        rows = rows[same]
        common = set.intersection(*(set(own) for _, own in rows.groupby("encoder")["seed"]))
        rows, seeds = rows[rows["seed"].isin(common)], len(common)
        by_encoder = rows.groupby("encoder", sort=False)
        rows = by_encoder.agg(value=("value", "mean"), low=("low", "min"), high=("high", "max")).reset_index()
        if len(rows) < 2:
            continue
        best = rows.loc[rows["value"].idxmax()]
        others = rows[rows["encoder"] != best["encoder"]]
        below = [str(name) for name in others.loc[others["high"] < best["low"], "encoder"]]
        overlapping = [str(name) for name in others.loc[others["high"] >= best["low"], "encoder"]]
        parts = [f"lies above that of {listed_few(below)}"] if below else []
        parts += [f"overlaps with that of {listed_few(overlapping)}"] if overlapping else []
        limits = f"{best['low']:.3f} to {best['high']:.3f}"
        interval = f"{best['value']:.3f} bits, {limits}"
        if seeds > 1:
            interval = f"{best['value']:.3f} bits on average over {seeds} seeds, with intervals from {limits}"
        what = _in_words(str(first["pairing"]), str(first["measure"]))
        highest = f"{best['encoder']} reads highest ({interval})"
        whose = "its interval" if seeds == 1 else "that range"
        sentences.append(f"{data}, {what}: {highest}; {whose} {' and '.join(parts)}.")
    return sentences


def _in_words(pairing: str, measure: str) -> str:
    """Name what a cell of a study reads."""
    found = find_measure(registered_pairing(pairing), measure) if pairing else MEASURES.get(measure)
    if found is None:
        return f"{pairing}:{measure}".removeprefix(":")
    of_view = f" of {pairing}" if found.needs_views and pairing != DEFAULT_VIEW else ""
    return column_words(f"{found.name}_bits" if f"{found.name}_bits" in AXIS_LABELS else found.name) + of_view
