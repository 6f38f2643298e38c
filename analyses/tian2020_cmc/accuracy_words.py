"""What accuracy over the information of views says, in words that the intervals allow."""

from itertools import combinations

import numpy as np
import pandas as pd

from mitools.analyses.shared.accuracy_by_setting import (
    PaperSays,
    extremes,
    per_setting,
    same_before_training,
    seeds_counted,
    shape_over,
    span,
)
from mitools.analyses.shared.finding import listed


def describe(table: pd.DataFrame, what: str, paper: PaperSays) -> str:
    """Say what the views share, what is told apart, and what shape accuracy has.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` has them.
    what
        Plural of what the settings are: ``colour spaces``.
    paper
        What the paper's figure shows.
    """
    found = per_setting(table)
    return " ".join(
        [_information(found), _in_sample(found, what), _told_apart(found, what), extremes(found, what),
         _shape(found, paper), seeds_counted(table)]
    )  # fmt: skip


def _information(found: pd.DataFrame) -> str:
    readings = [
        f"{row['setting']} {row['infonce_bits']:.2f} ({row['infonce_low']:.2f} to {row['infonce_high']:.2f})"
        for _, row in found.sort_values("infonce_bits").iterrows()
    ]
    n, ceiling = int(found["n_pairs"].iloc[0]), float(found["infonce_ceiling"].iloc[0])
    return (
        f"By InfoNCE on {n:,} pairs of views, averaged over cells, the two views share at least, in bits:"
        f" {listed(readings)}; the ceiling is {ceiling:.2f}, and permuted pairs read"
        f" {span(found['infonce_null'])}."
    )


def _in_sample(found: pd.DataFrame, what: str) -> str:
    above = int((found["mine_in_sample_bits"] > found["mine_held_out_high"]).sum())
    return (
        f"MINE reads {span(found['mine_in_sample_bits'])} bits on the pairs that it was fitted to, where"
        f" permuted pairs read {span(found['mine_in_sample_null'])}, and"
        f" {span(found['mine_held_out_bits'])} held out (permuted"
        f" {span(found['mine_held_out_null'])}): for {above} of {len(found)} {what} the"
        " in-sample number lies above the interval of the held-out one."
    )


def _told_apart(found: pd.DataFrame, what: str) -> str:
    pairs = list(combinations(range(len(found)), 2))
    by_infonce = [pair for pair in pairs if _apart(found, "infonce", *pair)]
    by_mine = [pair for pair in pairs if _apart(found, "mine_held_out", *pair)]
    otherwise = [
        pair
        for pair in by_infonce
        if np.sign(np.diff(found["infonce_bits"].iloc[list(pair)]))
        != np.sign(np.diff(found["mine_in_sample_bits"].iloc[list(pair)]))
    ]
    return (
        f"Of {len(pairs)} pairs of {what}, {len(by_infonce)} are told apart by InfoNCE's intervals and"
        f" {len(by_mine)} by those of held-out MINE; in-sample MINE orders {len(otherwise)} of the"
        f" {len(by_infonce)} the other way."
    )


def _apart(found: pd.DataFrame, name: str, i: int, j: int) -> bool:
    low, high = found[f"{name}_low"], found[f"{name}_high"]
    return bool(low.iloc[i] > high.iloc[j] or low.iloc[j] > high.iloc[i])


def _shape(found: pd.DataFrame, paper: PaperSays) -> str:
    held_out, in_sample = shape_over(found, "infonce"), shape_over(found, "mine_in_sample")
    return (
        f"Accuracy over InfoNCE's bits: {held_out}. Over in-sample MINE, the paper's axis: {in_sample}."
        f" {paper.beside(held_out)}{same_before_training(found, 'infonce', held_out)}"
    )
