"""Where the layers of a network lie in the information plane."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.core.errors import InputError
from mitools.core.files import writable_folder
from mitools.core.names import check_name
from mitools.plane.measure import Plane
from mitools.report.figures.plane_curves import epochs_chart, layers_chart
from mitools.report.figures.plane_trajectories import plane_chart
from mitools.report.finding import plane_finding
from mitools.report.html.plane_page import plane_page
from mitools.report.html.render import page_of_folder
from mitools.report.plane import paired_readings, write_plane
from mitools.results.notebook import as_html, as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = (
    "layer", "data", "quantity", "method", "bits", "low_bits", "high_bits", "kind", "ceiling_bits",
    "null_bits",
)  # fmt: skip
"""The columns that a notebook and a prompt show; the table has them all."""


class PlaneResult:
    """I(X;T) and I(T;Y) of every layer at every checkpoint.

    Parameters
    ----------
    plane
        What was measured.
    trained_on
        Which of the data the networks were trained on, by name.

    Attributes
    ----------
    files
        What :meth:`save` has written, the last time.
    """

    def __init__(self, plane: Plane, trained_on: str | None = None) -> None:
        self.files: list[Path] = []
        self.trained_on = trained_on
        self._plane = plane

    @property
    def table(self) -> pd.DataFrame:
        """One row a checkpoint, layer, data set, quantity and reading: the columns of ``plane.csv``."""
        return self._plane.table

    @property
    def failures(self) -> Mapping[str, str]:
        """What could not be measured, each with the reason."""
        return self._plane.failures

    @property
    def finding(self) -> list[str]:
        """What was found, in sentences that the intervals allow."""
        return plane_finding(self.table)

    def plot(
        self,
        name: str = "plane",
        ax: "Axes | Sequence[Axes] | None" = None,
        *,
        method: str | None = None,
        layer: str | None = None,
    ) -> Any:
        """Draw a figure of the plane.

        Parameters
        ----------
        name
            ``plane``: I(X;T) across and I(T;Y) up, a trajectory a layer. ``epochs``: every reading of one
            layer over training. ``depth``: every reading over the layers.
        ax
            Where to draw, one axes a panel; a new figure when None.
        method
            Of ``plane``: the reading of I(X;T); the first when None.
        layer
            Of ``epochs``; the last when None.

        Returns
        -------
        array of matplotlib.axes.Axes
            What was drawn on.

        Raises
        ------
        InputError
            When there is no such figure, method or layer, or nothing to draw.
        """
        check_name("figure", name, ("plane", "epochs", "depth"))
        if name == "depth":
            return layers_chart(self.table, ax=ax)
        if name == "epochs":
            layers = list(dict.fromkeys(self.table["layer"]))
            chosen = layers[-1] if layer is None else layer
            check_name("layer", chosen, layers)
            return epochs_chart(self.table[self.table["layer"] == chosen], ax=ax)
        readings = paired_readings(self.table)
        if not readings:
            raise InputError("a plane takes readings of I(X;T) and I(T;Y), and the table has not both")
        across = next(iter(readings)) if method is None else method
        check_name("method", across, readings)
        return plane_chart(self.table, across, readings[across], ax=ax)

    def save(self, folder: str | Path, *, html: bool = True) -> list[Path]:
        """Write what the command line writes: ``plane.csv``, every figure and the page.

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
        self.files = write_plane(self.table, out)
        self.files += page_of_folder(plane_page, out, html)
        return self.files

    def last(self) -> pd.DataFrame:
        """Keep the rows of the last checkpoint."""
        return self.table[self.table["epoch"] == self.table["epoch"].max()]

    def __repr__(self) -> str:
        return as_text(self.last(), SHOWN, self._sentence())

    def _repr_html_(self) -> str:
        return as_html(self.last(), SHOWN, [self._sentence()], self.failures)

    def _sentence(self) -> str:
        epochs = self.table["epoch"].nunique()
        return f"the last of {epochs} checkpoints, epoch {self.table['epoch'].max()}; .table has them all"
