"""Every figure of a measured information plane."""

from pathlib import Path

import pandas as pd

from mitools.report.figures.columns import require_columns
from mitools.report.figures.plane_curves import epochs_chart, layers_chart
from mitools.report.figures.plane_style import PLANE_QUANTITIES
from mitools.report.figures.plane_trajectories import plane_chart
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv

LABEL_READINGS = {"infonce": "label_information", "ksg": "mixed_ksg"}
"""The reading of I(T;Y) that is drawn against one of I(X;T), where it has another name."""


def paired_readings(table: pd.DataFrame) -> dict[str, str]:
    """Give each reading of I(X;T) the one of I(T;Y) that it is drawn against; none where nothing reads it.

    Parameters
    ----------
    table
        As :class:`mitools.plane.measure.Plane` has it.
    """
    of_input, of_label = (
        [str(method) for method in dict.fromkeys(table.loc[table["quantity"] == quantity, "method"])]
        for quantity in PLANE_QUANTITIES
    )
    partners = {across: LABEL_READINGS.get(across, across) for across in of_input}
    return {across: up if up in of_label else of_label[0] for across, up in partners.items() if of_label}


def write_plane(table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write ``plane.csv``, and every figure below ``figures/``; errors as of :func:`draw_plane`."""
    write_csv(table, folder / "plane.csv")
    return [folder / "plane.csv", *draw_plane(table, folder / "figures")]


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
    require_columns(table)
    files: list[Path] = []
    for across, up in paired_readings(table).items():
        path = folder / f"plane_{across}"
        files += write_chart(path, plane_chart, table, across, up)
    if table["epoch"].nunique() > 1:
        for layer in dict.fromkeys(table["layer"]):
            name = "".join(letter if letter.isalnum() else "_" for letter in str(layer))
            of_layer = table[table["layer"] == layer]
            files += write_chart(folder / f"epochs_{name}", epochs_chart, of_layer)
    if table["layer"].nunique() > 1:
        files += write_chart(folder / "depth", layers_chart, table)
    return files
