"""Where the layers of a network lie in the information plane."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.core.html import html_notes
from mitools.plane.measure import Plane
from mitools.report.plane import PLANE_FIGURES, write_plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

from mitools.core.names import check_name

SHOWN = ("layer", "data", "quantity", "method", "bits", "low_bits", "high_bits", "kind", "ceiling_bits", "null_bits")


class PlaneResult:
    """I(X;T) and I(T;Y) of every layer at every checkpoint.

    Parameters
    ----------
    plane
        What was measured.
    """

    def __init__(self, plane: Plane) -> None:
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
        return write_plane(self.table, Path(folder))

    def last(self) -> pd.DataFrame:
        """Keep the rows of the last checkpoint."""
        return self.table[self.table["epoch"] == self.table["epoch"].max()]

    def __repr__(self) -> str:
        return f"{self.last()[list(SHOWN)].to_string(index=False)}\n{self._sentence()}"

    def _repr_html_(self) -> str:
        shown = self.last()[list(SHOWN)]
        shown = shown.to_html(index=False, na_rep="", float_format="{:.3f}".format, border=0)
        return shown + html_notes([self._sentence(), *(f"failed: {k}: {v}" for k, v in self.failures.items())])

    def _sentence(self) -> str:
        epochs = self.table["epoch"].nunique()
        return f"the last of {epochs} checkpoints, epoch {self.table['epoch'].max()}; .table has them all"
