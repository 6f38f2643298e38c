"""Accuracy of several seeds a setting, and whether it has a shape over the information of views."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

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

    def verdict(self, found: PeakTest) -> str:
        """Say whether it is so here."""
        if found.shape == "cannot be told":
            return "this run neither confirms nor refutes it"
        return "so it is here" if found.shape == self.shape else "this is not seen here"

    def beside(self, found: PeakTest) -> str:
        """Say what the figure shows, and whether it is so here."""
        return f"{self.where}; {self.verdict(found)}."


def per_setting(table: pd.DataFrame, averaged: Collection[str] = ()) -> pd.DataFrame:
    """Average the seeds of every setting, with the standard error of images and seeds.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` has them.
    averaged
        Names of estimates that differ between seeds, ``NAME_bits``, with ``_low`` and ``_high`` where they
        have an interval; all other columns are those of a setting's first row.

    Returns
    -------
    DataFrame
        One row a setting: its first row, with ``linear_acc`` and ``untrained_acc`` averaged over its seeds,
        and ``linear_acc_stderr``. The variance between seeds is pooled over the settings; with one
        seed a setting it is not known and counts as 0. Of an estimate that is averaged, ``_low`` and
        ``_high`` become the 95% interval of images and seeds.
    """
    groups = table.groupby("setting", sort=False)
    found = groups.first()
    accuracies = ["linear_acc", "untrained_acc"]
    found[accuracies] = groups[accuracies].mean()
    found["linear_acc_stderr"] = _stderr(table, "linear_acc", "linear_acc")
    for name in averaged:
        mean = groups[f"{name}_bits"].mean()
        margin = Z95 * _stderr(table, name, f"{name}_bits")
        found[f"{name}_bits"] = mean
        found[f"{name}_low"], found[f"{name}_high"] = mean - margin, mean + margin
    return found.reset_index()


def _stderr(table: pd.DataFrame, name: str, column: str) -> pd.Series:
    """Give the standard error of every setting's mean; without intervals it is that of seeds alone."""
    groups = table.groupby("setting", sort=False)
    of_images: float | pd.Series = 0.0
    if f"{name}_low" in table:
        of_images = groups.apply(
            lambda rows: ((rows[f"{name}_high"] - rows[f"{name}_low"]) / (2 * Z95)).mean()
        )
    count = groups.size()
    spare = int((count - 1).sum())
    squares = ((table[column] - table["setting"].map(groups[column].mean())) ** 2).sum()
    between = squares / spare if spare else 0.0
    return np.sqrt(of_images**2 + between / count)


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


def extremes(found: pd.DataFrame, what: str) -> str:
    """Say where accuracy is highest and lowest, whether these are told apart, and what training adds.

    Parameters
    ----------
    found
        As :func:`per_setting` gives it.
    what
        Plural of what the settings are: ``colour spaces``.
    """
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


def seeds_counted(table: pd.DataFrame) -> str:
    """Say how many seeds a setting has, and so what the errors are those of."""
    count = int(table.groupby("setting").size().min())
    if count == 1:
        return (
            "There is one run a setting: the errors are those of images alone, and another seed may change"
            " the order."
        )
    return f"There are {count} runs a setting: the errors are those of images and of seeds."


def same_before_training(found: pd.DataFrame, column: str, trained: PeakTest) -> str:
    """Say where the untrained encoders' accuracy has the shape of the trained ones'; empty elsewhere."""
    if trained.shape == "cannot be told" or shape_over(found, column, "untrained_acc").shape != trained.shape:
        return ""
    return " The untrained encoders' accuracy has the same shape: training need not have brought it."


def span(values: pd.Series) -> str:
    """Write the least and the greatest number."""
    return f"{values.min():.2f} to {values.max():.2f}"
