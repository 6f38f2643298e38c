"""What the results of all audits offer: tables of encoders, files, the page and how they show themselves."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pandas as pd

from mitools.auditing.base import EncoderAudit
from mitools.core.estimate import Estimate
from mitools.core.files import folder_or_scratch, writable_file, writable_folder
from mitools.report.html.parts import Page
from mitools.report.html.render import PAGE_FILE, page_of_folder, write_page
from mitools.results.notebook import as_html, as_text


class EncoderTables(Protocol):
    """The tables of an audit."""

    @property
    def results(self) -> pd.DataFrame:
        """One row an encoder, or a layer of it."""
        ...

    @property
    def correlation(self) -> pd.DataFrame | None:
        """Every measure with a score; None where there are too few encoders."""
        ...

    @property
    def comparisons(self) -> pd.DataFrame | None:
        """Every two encoders; None where there are too few."""
        ...


class EncoderResult(ABC):
    """An audit as an object: its tables, what it writes and how it looks.

    Parameters
    ----------
    audit
        What was found out.
    seed
        Of the bootstrap behind the correlation.
    """

    shown: ClassVar[Sequence[str]]
    """The columns that a notebook and a prompt show; the table has them all."""

    def __init__(self, audit: EncoderAudit[Any], seed: int = 0) -> None:
        self.files: list[Path] = []
        self._audit = audit
        self._seed = seed

    @property
    @abstractmethod
    def _tables(self) -> EncoderTables:
        """The tables, computed once."""

    @property
    @abstractmethod
    def finding(self) -> list[str]:
        """What was found, in sentences that the intervals allow."""

    @abstractmethod
    def _write(self, out: Path) -> list[Path]:
        """Write all but the page."""

    @abstractmethod
    def _write_documents(self, out: Path) -> object:
        """Write what the page is made from."""

    @abstractmethod
    def _page(self, folder: Path) -> Page:
        """Make the page of a folder."""

    @abstractmethod
    def _sentence(self) -> str:
        """Say what the table is of."""

    @property
    def table(self) -> pd.DataFrame:
        """One row an encoder, or a layer of it: the columns of ``results.csv``."""
        return self._tables.results

    @property
    def comparisons(self) -> pd.DataFrame | None:
        """Every two encoders, with paired intervals from the same items; None with one encoder."""
        return self._tables.comparisons

    @property
    def correlation(self) -> pd.DataFrame | None:
        """Every measure with the score that encoders are compared by; None with fewer than three encoders."""
        return self._tables.correlation

    @property
    def data(self) -> str:
        """The name of the data."""
        return self._audit.data

    @property
    def failures(self) -> Mapping[str, str]:
        """Encoders that could not be audited, each with the reason."""
        return self._audit.failures

    @property
    def estimates(self) -> dict[str, Mapping[str, Estimate]]:
        """The full estimates behind each row, by encoder and column."""
        return {one.title: one.estimates for one in self._audit.encoders}

    def save(self, folder: str | Path, *, html: bool = True) -> list[Path]:
        """Write what the command line writes: tables, figures, the full estimates and the page.

        Parameters
        ----------
        folder
            Made if absent.
        html
            Write ``report.html`` too, the last of the files.

        Returns
        -------
        list of Path
            All files.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        out = writable_folder(folder)
        self.files = self._write(out)
        self.files += page_of_folder(self._page, out, html)
        return self.files

    def report(self, file: str | Path = PAGE_FILE) -> Path:
        """Write the page alone: one HTML file that needs nothing beside it.

        Parameters
        ----------
        file
            Where to; its folder is made if absent.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        path = writable_file(file)
        with folder_or_scratch(None) as scratch:
            self._write_documents(scratch)
            return write_page(self._page(scratch), path)

    def __repr__(self) -> str:
        return as_text(self.table, self.shown, self._sentence())

    def _repr_html_(self) -> str:
        return as_html(self.table, self.shown, [self._sentence()], self.failures)
