"""What a study has measured."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mitools.core.errors import InputError
from mitools.core.files import writable_folder
from mitools.core.names import check_name
from mitools.report.html.render import page_of_folder
from mitools.report.html.study_page import study_page
from mitools.report.study import cell_table, encoder_table, write_table
from mitools.report.study_finding import study_finding
from mitools.results.notebook import as_html, as_text
from mitools.studies.folder import StudyFolder

FORMATS = ("csv", "parquet", "tex", "md")

SAME_ENTROPY = 0.01
"""Bits by which the class entropies of data sets may differ that are put into one correlation."""


class StudyResult:
    """The cells of a study, and one row an encoder and data set.

    Parameters
    ----------
    folder
        The study and what is kept of it.
    """

    def __init__(self, folder: StudyFolder) -> None:
        families: Mapping[str, str | None] = {one.spec: one.family for one in folder.study.encoders}
        self.cells = cell_table(folder.found(), families)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row an encoder and data set: means over the seeds, columns ``pairing:estimator`` in bits."""
        return encoder_table(self.cells)

    @property
    def finding(self) -> list[str]:
        """What was found, in sentences that the intervals allow."""
        return study_finding(self.cells)

    @property
    def failures(self) -> pd.DataFrame:
        """The cells that failed, with the error."""
        return self.cells[self.cells["state"] == "failed"]

    def correlate(
        self,
        target: str = "linear_acc",
        group: str = "family",
        seed: int = 0,
        columns: str | Sequence[str] | None = None,
        pool_data: bool = False,
    ) -> pd.DataFrame:
        """Correlate every measure with a target: pooled, within and between groups, and inside each.

        Parameters
        ----------
        target
            The column to correlate with.
        group
            The column that groups rows that are not independent: ``family`` or ``data``. An encoder without
            a family is one: its rows on several data sets are a group.
        seed
            Of the bootstrap.
        columns
            The measures; all when None. Holm's adjustment counts them.
        pool_data
            Put data sets of different class entropies into one correlation. Without, each has its own, and
            its scopes begin with its name: bits of 10 and of 100 classes differ for no merit of an encoder.

        Raises
        ------
        InputError
            As :func:`mitools.statistics.grouped_correlation.correlate_groups`.
        """
        from mitools.measures.registry import MEASURES
        from mitools.statistics.grouped_correlation import correlate_groups

        table = self.table.drop(columns="seeds")
        family = table["family"].replace("", np.nan)
        table = table.assign(family=family.fillna(table["encoder"]))
        if columns is not None:
            names = columns.split(",") if isinstance(columns, str) else columns
            wanted = list(dict.fromkeys([*(name.strip() for name in names), target]))
            for name in wanted:
                check_name("column", name, [one for one in table if one not in ("data", "encoder", "family")])
            table = table[["data", "encoder", "family", *wanted]]
        known = [MEASURES[name] for name in table if name in MEASURES]
        turned = tuple(measure.name for measure in known if not measure.higher_is_better)
        several = len(table["data"].unique()) > 1 and group != "data" and not pool_data
        if not several or self._alike():
            return correlate_groups(table, target, group, lower_is_better=turned, seed=seed)
        parts, refused = [], []
        for data, rows in table.groupby("data", sort=False):
            read = rows.dropna(axis=1, how="all")
            try:
                found = correlate_groups(read, target, group, lower_is_better=turned, seed=seed)
            except InputError as error:  # too few encoders on this data set, or all alike
                refused.append(error)
            else:
                parts.append(found.assign(scope=f"{data}, " + found["scope"]))
        if not parts:
            raise refused[0]
        return pd.concat(parts, ignore_index=True)

    def _alike(self) -> bool:
        """Whether all data sets are known to have the same class entropy."""
        entropies = self.cells.groupby("data")["entropy"].max()
        return bool(entropies.notna().all() and np.ptp(entropies.to_numpy(float)) < SAME_ENTROPY)

    def save(self, folder: str | Path, *, html: bool = True) -> list[Path]:
        """Write what the command line writes: ``cells.csv``, ``results`` in four formats, and the page.

        Parameters
        ----------
        folder
            Made if absent.
        html
            Write ``report.html`` too, once a cell is done.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        out = writable_folder(folder)
        cells = out / "cells.csv"
        results = [out / f"results.{ending}" for ending in FORMATS]
        write_table(self.cells, cells)
        for path in results:
            write_table(self.table, path)
        done = bool((self.cells["state"] == "done").any())
        return [cells, *results, *page_of_folder(study_page, out, html and done)]

    def __repr__(self) -> str:
        return as_text(self.table, (), self._sentence())

    def _repr_html_(self) -> str:
        failed = dict(zip(self.failures["encoder"], self.failures["error"], strict=True))
        return as_html(self.table, (), [self._sentence()], failed)

    def _sentence(self) -> str:
        states = self.cells["state"].value_counts()
        return f"{len(self.cells)} cells: " + ", ".join(f"{states[name]} {name}" for name in states.index)
