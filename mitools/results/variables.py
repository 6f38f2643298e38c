"""The discrete variables of a representation: how many bits they use, and how they depend on each other."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mitools.core.entropy import LOG2
from mitools.core.estimate import Estimate
from mitools.core.files import writable_folder
from mitools.report.figures.variables import entropy_bars
from mitools.report.variables.subject import Subject
from mitools.report.variables.write import Unit, variables_table, write_variables
from mitools.results.notebook import as_html, as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = ("variable", "entropy_bits", "mean_information_bits", "most_frequent_unit", "its_share")
"""The columns that a notebook and a prompt show."""


class VariablesResult:
    """What the discrete variables of an encoder are like on data.

    Parameters
    ----------
    subject
        The encoder, its rows, and the variables made of them.
    units
        Whose images :meth:`save` shows.

    Attributes
    ----------
    files
        What :meth:`save` has written, the last time.
    """

    def __init__(self, subject: Subject, units: Sequence[Unit] = ()) -> None:
        self.files: list[Path] = []
        self._subject = subject
        self._units = tuple(units)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a variable: the columns of ``variables.csv``."""
        return variables_table(self._subject.reading)

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Entropy, redundancy and total correlation, each with its interval."""
        found = self._subject.reading
        return {name: getattr(found, name) for name in ("entropy", "redundancy", "total_correlation")}

    @property
    def variables(self) -> str:
        """What the variables are, in words."""
        return self._subject.discretiser.what

    @property
    def units_used(self) -> float:
        """Units of a variable that are the most likely one for some item, on average."""
        return self._subject.reading.units_used

    @property
    def one_hot_shares(self) -> tuple[float, float]:
        """Shares of variables and items whose greatest probability is above 0.9, and above 0.99."""
        return self._subject.reading.one_hot_shares

    @cached_property
    def agreement(self) -> float | None:
        """How probable it is that a variable takes one value in two views of an item; None without views."""
        return self._subject.agreement()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the entropy of every variable.

        Parameters
        ----------
        ax
            Where to draw; a new figure when None.
        """
        found = self._subject.reading
        drawn: Axes = entropy_bars(found.entropies_nats / LOG2, self._subject.discretiser.units, ax=ax)[0]
        return drawn

    def save(self, folder: str | Path) -> list[Path]:
        """Write what the command line writes: the page with every picture, the table and the figures.

        Raises
        ------
        InputError
            When the folder cannot be written, or a unit is not there.
        """
        self.files = write_variables(self._subject, writable_folder(folder), self._units)
        return self.files

    def __repr__(self) -> str:
        return as_text(self.table, SHOWN, "\n".join(self._words()))

    def _repr_html_(self) -> str:
        return as_html(self.table, SHOWN, self._words(), {})

    def _words(self) -> list[str]:
        read = [f"{name.replace('_', ' ')}: {found.bits:.3f} bits" for name, found in self.estimates.items()]
        return [self.variables, *read]
