"""What the detectors' average precision says of their starts, in words."""

import numpy as np
import pandas as pd

from mitools.analyses.detection.comparisons import COMPARED, NOT_TOLD_APART, mean_interval
from mitools.analyses.shared.finding import listed

TITLES = {"box_ap": "box AP", "mask_ap": "mask AP"}


def describe(table: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """Give every start's precision, and name the starts that are told apart.

    Parameters
    ----------
    table, comparisons
        As ``results.csv`` and ``comparisons.csv`` have them.
    """
    sentences = []
    for transfer, part in table.groupby("transfer", sort=False):
        for measure in COMPARED:
            if measure in part and part[measure].notna().all():
                sentences.append(_means(str(transfer), part, measure))
    seeds = table["seed"].nunique()
    apart = comparisons[comparisons["verdict"] != NOT_TOLD_APART]
    together = comparisons[comparisons["verdict"] == NOT_TOLD_APART]
    count = f"{len(comparisons)} comparison{'s' * (len(comparisons) > 1)}"
    how = f"seed by seed over {seeds} seeds, Holm over {count}"
    if seeds < 2:
        sentences.append("One seed tells no two starts apart.")
    elif comparisons.empty:
        sentences.append("There is one start alone, so nothing is compared.")
    else:
        if len(apart):
            sentences.append(
                f"Told apart, {how}: {'; '.join(_difference(row) for _, row in apart.iterrows())}."
            )
        if len(together):
            pairs = [_pair(row) for _, row in together.iterrows()]
            start = "Not told apart" if len(apart) else f"No two starts are told apart, {how}"
            sentences.append(f"{start}: {'; '.join(pairs)}.")
    return " ".join(sentences)


def _means(transfer: str, part: pd.DataFrame, measure: str) -> str:
    told = []
    for start in dict.fromkeys(part["start"]):
        found = mean_interval(part.loc[part["start"] == start, measure].to_numpy(np.float64))
        interval = "" if np.isnan(found.low) else f" ({found.low:.1f} to {found.high:.1f})"
        told.append(f"{start} {found.mean:.1f}{interval}")
    return f"On {transfer} the mean {TITLES[measure]} is {listed(told)}."


def _difference(row: pd.Series) -> str:
    better = row["verdict"]
    other = row["start_a"] if better == row["start_b"] else row["start_b"]
    low, high = sorted((abs(row["low"]), abs(row["high"])))
    return (
        f"{better} above {other} by {abs(row['difference']):.1f} ({low:.1f} to {high:.1f}) points of"
        f" {TITLES[row['measure']]} on {row['transfer']}"
    )


def _pair(row: pd.Series) -> str:
    interval = f"{row['difference']:+.1f}, {row['low']:.1f} to {row['high']:.1f}"
    where = f"{TITLES[row['measure']]} on {row['transfer']}"
    return f"{row['start_b']} and {row['start_a']} ({interval}, {where})"
