"""Every figure of a measured information plane."""

from pathlib import Path

import pandas as pd

from mitools.report.figures.plane_curves import epochs_chart, layers_chart
from mitools.report.figures.plane_style import QUANTITIES, need
from mitools.report.figures.plane_trajectories import plane_chart

PARTNERS = {"infonce": "label_information", "ksg": "mixed_ksg"}
"""The reading of I(T;Y) that is drawn against one of I(X;T), where it has another name."""


def draw_plane(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Draw every figure of a plane.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.
    folder
        Where to write ``plane_READING``, ``epochs_LAYER`` and ``depth``, each as PNG, SVG and PDF.

    Raises
    ------
    InputError
        When the table has no rows.
    OSError
        When the folder cannot be written.
    """
    need(table)
    files: list[Path] = []
    labels = list(dict.fromkeys(table.loc[table["quantity"] == QUANTITIES[1], "method"]))
    for reading in dict.fromkeys(table.loc[table["quantity"] == QUANTITIES[0], "method"]):
        partner = PARTNERS.get(reading, reading)
        against = partner if partner in labels else next(iter(labels), None)
        if against is not None:
            files += plane_chart(table, reading, against, folder / f"plane_{reading}")
    if table["epoch"].nunique() > 1:
        for layer in dict.fromkeys(table["layer"]):
            name = "".join(letter if letter.isalnum() else "_" for letter in str(layer))
            files += epochs_chart(table[table["layer"] == layer], folder / f"epochs_{name}")
    if table["layer"].nunique() > 1:
        files += layers_chart(table, folder / "depth")
    return files
