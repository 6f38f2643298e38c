"""What views share, and what they say of the label."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mitools.core.estimate import EstimateWarning
from mitools.core.files import writable_folder
from mitools.report.figures.regimes import regimes_chart
from mitools.report.html.render import page_of_folder
from mitools.report.html.views_page import views_page
from mitools.report.views import pairs_table, reading_in_words, readings_table, write_views
from mitools.results.notebook import as_html, as_text
from mitools.shared_information.measure import MeasuredViews

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = ("views", "value", "shared_bits", "view1_bits", "view2_bits", "image_bits", "regime")
"""The columns that a notebook and a prompt show; the table has them all."""


class ViewsResult:
    """I(v1;v2), I(v1;y), I(v2;y) and I(x;y) of pairs of views, and the regime of each.

    Parameters
    ----------
    measured
        What was measured.

    Attributes
    ----------
    files
        What :meth:`save` has written, the last time.
    """

    def __init__(self, measured: MeasuredViews) -> None:
        self.files: list[Path] = []
        self._measured = measured

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a pair of views, in bits, with its regime: the columns of ``views.csv``."""
        return pairs_table(self._measured)

    @cached_property
    def readings(self) -> pd.DataFrame:
        """One row a pair, quantity and method, with kind, interval, null, ceiling and warnings."""
        return readings_table(self._measured)

    @property
    def finding(self) -> list[str]:
        """One sentence a pair: what its intervals say."""
        return reading_in_words(self._measured)

    @property
    def warnings(self) -> tuple[EstimateWarning, ...]:
        """Of images that depend on each other and that nobody named."""
        return self._measured.warnings

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw what views say of the label against what they share, the three regimes shaded.

        Parameters
        ----------
        ax
            Where to draw; a new figure when None.
        """
        return regimes_chart(self.table, ax=ax)

    def save(self, folder: str | Path, *, html: bool = True) -> list[Path]:
        """Write what the command line writes: tables, full estimates, the words, the figure and the page.

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
        self.files = write_views(self._measured, out)
        self.files += page_of_folder(views_page, out, html)
        return self.files

    def __repr__(self) -> str:
        return as_text(self.table, SHOWN, "\n".join(self.finding))

    def _repr_html_(self) -> str:
        return as_html(self.table, SHOWN, [*self.finding, *map(str, self.warnings)], {})
