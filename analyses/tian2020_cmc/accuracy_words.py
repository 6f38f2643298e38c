"""What accuracy over the information of views says, in words that the intervals allow."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from mitools.analyses.shared.finding import listed
from mitools.statistics.peak import PeakTest, Shape, peak_test

Z95 = 1.96
"""Standard errors in half of a 95% interval."""


class PaperSays(NamedTuple):
    """What the paper's figure shows.

    Attributes
    ----------
    shape
        Of accuracy over MI, as :class:`mitools.statistics.peak.PeakTest` calls it.
    where
        Figure and words.
    """

    shape: Shape
    where: str


def per_setting(table: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds of every setting, with the standard error of images and seeds.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` has them.

    Returns
    -------
    DataFrame
        One row a setting: its first row, with ``linear_acc`` and ``untrained_acc`` averaged over its seeds,
        and ``linear_acc_stderr``. The variance between seeds is pooled over the settings; with one
        seed a setting it is not known and counts as 0.
    """
    groups = table.groupby("setting", sort=False)
    means = groups[["linear_acc", "untrained_acc"]].mean()
    of_images = groups.apply(
        lambda rows: ((rows["linear_acc_high"] - rows["linear_acc_low"]) / (2 * Z95)).mean()
    )
    count = groups.size()
    spare = int((count - 1).sum())
    squares = ((table["linear_acc"] - table["setting"].map(means["linear_acc"])) ** 2).sum()
    between = squares / spare if spare else 0.0
    found = groups.first()
    found[["linear_acc", "untrained_acc"]] = means
    found["linear_acc_stderr"] = np.sqrt(of_images**2 + between / count)
    return found.reset_index()


def shape_over(table: pd.DataFrame, column: str, accuracy: str = "linear_acc") -> PeakTest:
    """Test the shape of accuracy over an estimate, with the errors of both.

    Parameters
    ----------
    table
        As :func:`per_setting` gives it.
    column
        ``infonce`` or ``mine_in_sample``, the estimate's name.
    accuracy
        ``linear_acc`` or ``untrained_acc``; either with the errors of the first.
    """
    x_stderr = ((table[f"{column}_high"] - table[f"{column}_low"]) / (2 * Z95)).fillna(0.0)
    return peak_test(table[f"{column}_bits"], table[accuracy], table["linear_acc_stderr"], x_stderr)


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
        [_information(found), _in_sample(found, what), _told_apart(found, what), _accuracy(found, what),
         _shape(found, paper), _seeds(table)]
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
        f" {_span(found['infonce_null'])}."
    )


def _in_sample(found: pd.DataFrame, what: str) -> str:
    above = int((found["mine_in_sample_bits"] > found["mine_held_out_high"]).sum())
    return (
        f"MINE reads {_span(found['mine_in_sample_bits'])} bits on the pairs that it was fitted to, where"
        f" permuted pairs read {_span(found['mine_in_sample_null'])}, and"
        f" {_span(found['mine_held_out_bits'])} held out (permuted"
        f" {_span(found['mine_held_out_null'])}): for {above} of {len(found)} {what} the"
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


def _accuracy(found: pd.DataFrame, what: str) -> str:
    best, worst = found.loc[found["linear_acc"].idxmax()], found.loc[found["linear_acc"].idxmin()]
    margin = Z95 * np.hypot(best["linear_acc_stderr"], worst["linear_acc_stderr"])
    difference = best["linear_acc"] - worst["linear_acc"]
    verdict = "told apart" if difference > margin else "not told apart"
    gain = found["linear_acc"] - found["untrained_acc"]
    above = int((gain > Z95 * 2**0.5 * found["linear_acc_stderr"]).sum())
    return (
        f"Linear accuracy is highest for {best['setting']} ({best['linear_acc']:.1%}) and lowest for"
        f" {worst['setting']} ({worst['linear_acc']:.1%}), which are {verdict}; the untrained encoders reach"
        f" {found['untrained_acc'].min():.1%} to {found['untrained_acc'].max():.1%}, and training adds to"
        f" them beyond the intervals for {above} of {len(found)} {what}."
    )


def _shape(found: pd.DataFrame, paper: PaperSays) -> str:
    held_out, in_sample = shape_over(found, "infonce"), shape_over(found, "mine_in_sample")
    verdict = (
        "this run neither confirms nor refutes it"
        if held_out.shape == "cannot be told"
        else "so it is here"
        if held_out.shape == paper.shape
        else "this is not seen here"
    )
    return (
        f"Accuracy over InfoNCE's bits: {held_out}. Over in-sample MINE, the paper's axis: {in_sample}."
        f" {paper.where}; {verdict}.{_before_training(found, held_out)}"
    )


def _before_training(found: pd.DataFrame, trained: PeakTest) -> str:
    """Say where the untrained encoders have the same shape."""
    if (
        trained.shape == "cannot be told"
        or shape_over(found, "infonce", "untrained_acc").shape != trained.shape
    ):
        return ""
    return " The untrained encoders' accuracy has the same shape: training need not have brought it."


def _seeds(table: pd.DataFrame) -> str:
    count = int(table.groupby("setting").size().min())
    if count == 1:
        return (
            "There is one run a setting: the errors are those of images alone, and another seed may change"
            " the order."
        )
    return f"There are {count} runs a setting: the errors are those of images and of seeds."


def _span(values: pd.Series) -> str:
    return f"{values.min():.2f} to {values.max():.2f}"
