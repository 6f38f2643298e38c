"""What methods read on one's own features where the truth is known."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.calibration import Calibration
from mitools.core.files import writable_folder
from mitools.report.calibration import calibration_setting, calibration_table, finding, write_calibration
from mitools.report.figures.calibration import calibration_chart
from mitools.report.html.calibration_page import calibration_page
from mitools.report.html.render import page_of_folder
from mitools.results.notebook import as_html, as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CalibrationResult:
    """Readings of several methods on pairs made of one's own features, whose information is known.

    Parameters
    ----------
    calibration
        What was read.

    Attributes
    ----------
    files
        What :meth:`save` has written, the last time.
    """

    def __init__(self, calibration: Calibration) -> None:
        self.files: list[Path] = []
        self._calibration = calibration

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a reading, in bits."""
        return calibration_table(self._calibration)

    @property
    def finding(self) -> str:
        """How far each method's readings lie from the truth, in words."""
        return finding(self.table)

    @property
    def setting(self) -> str:
        """What the pairs were made of, in words."""
        return calibration_setting(self._calibration)

    @property
    def failures(self) -> Mapping[str, str]:
        """Methods that could not read the pairs, each with the reason."""
        return self._calibration.failures

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None) -> Any:
        """Draw reading against truth, a panel a method.

        Parameters
        ----------
        ax
            Where to draw, one axes a method; a new figure when None.

        Returns
        -------
        array of matplotlib.axes.Axes
            What was drawn on.
        """
        return calibration_chart(self.table, self.finding, ax=ax)

    def save(self, folder: str | Path, *, html: bool = True) -> list[Path]:
        """Write what the command line writes: the table, the full estimates, the figure and the page.

        Parameters
        ----------
        folder
            Made if absent.
        html
            Write ``report.html`` too.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        out = writable_folder(folder)
        self.files = write_calibration(self._calibration, out).files
        self.files += page_of_folder(calibration_page, out, html)
        return self.files

    def __repr__(self) -> str:
        return as_text(self.table, (), self.finding)

    def _repr_html_(self) -> str:
        return as_html(self.table, (), [self.finding, self.setting], self.failures)
