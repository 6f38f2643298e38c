"""Where the layers of a network lie in the information plane."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.core.names import check_name
from mitools.plane.measure import Plane
from mitools.report.plane import PLANE_FIGURES, write_plane
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

    def plot(self, name: str = "plane", ax: "Axes | Sequence[Axes] | None" = None) -> Any:
        """Draw a figure of the plane.

        Parameters
        ----------
        name
            ``plane``: a trajectory a layer, I(X;T) across and I(T;Y) up, by the first method that reads both;
            ``epochs``: the readings of the first layer over training; ``depth``: over the layers.
        ax
            Where to draw; a new figure when None.

        Raises
        ------
        InputError
            When there is no such figure, or nothing to draw in it.
        """
        check_name("figure", name, PLANE_FIGURES)
        return PLANE_FIGURES[name](self.table, ax=ax)

    def save(self, folder: str | Path) -> list[Path]:
        """Write what the command line writes: ``plane.csv`` and every figure.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        self.files = write_plane(self.table, Path(folder))
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
